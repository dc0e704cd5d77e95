"""From sound to words, with Vosk behind a protocol of a few lines."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import vosk

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import Word
from agent.voice.held import HeldPhrase
from agent.voice.lexicon import UNKNOWN, ModelUnusable, require_files, unknown_words
from agent.voice.second_hearing import SecondHearing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from agent.voice.decision import Phrase
    from agent.voice.verifier import Verifier

RENEW_AFTER_S = 600.0
"""Of sound given to it. A recogniser's memory grows as long as it lives (peers.md, pain point 16); a new one costs
under a millisecond with the bundled model. It knows nothing of the sound before it, so it is renewed when nobody
speaks."""
RENEW_BY_S = 1800.0
"""Where the gate does not shut, in a place that is loud for hours, it is renewed after this at the end of the next
utterance though talk may go on. Vosk ends one after 20 s at the latest (Kaldi's endpoint rule 5)."""
UTTERANCE_S = 1.5
"""An utterance in which no phrase is under way is ended after this, and the next one begins. In street noise Vosk hears
no end: it goes on with one utterance for many seconds, and a phrase late in one competes with what the filler made of
all of them: of 256 calls at 20 dB over the simulated street 23 were missed without this, 6 with it."""
AGAIN_S = 0.8
"""The last sound of such an utterance is heard once more by the next one: a phrase may have begun in it that no partial
result shows yet. Twice the 0.4 s after which the first word of a phrase shows."""
AGAIN_UNDER_WAY_S = 1.6
"""The same where a phrase was under way all the time: what was taken for its first word hid the true one, which may be
a whole phrase ago."""
BREATH_S = 0.3
"""Heard before what is left behind a phrase: the quietest sound around that phrase, so that the place stays as noisy as
it is. Without, "call the police" right behind "help me" had no "call", or one that was unsure."""
LONGEST_S = 4.0
"""Cut even with a phrase under way: no phrase of five words takes longer, noise that sounds like the beginning of one
may."""
BYTES_PER_S = SAMPLE_RATE_HZ * 2


_HISS = np.rint(np.random.default_rng(1).normal(0, 4, SAMPLE_RATE_HZ)).astype("<i2")
"""A second of the hiss that every microphone has, at -78 dBFS, under the self-noise of a cheap one. Some sound servers
give digital silence between words, and recordings have it around them; a network learns nothing of that. Of 75 clean
calls by held-out espeak-ng voices between zeros the bundled model hears 66, with this hiss 74."""
_SILENCE = _HISS[: round(0.3 * SAMPLE_RATE_HZ)].tobytes()
"""Before the first sound that there is. Of committed calls that begin with their recordings two by espeak-ng were
missed without, by the model before; with it each of eight was heard, the least sure of them 1.0 sure after 0.2 to
0.4 s, 0.89 after 0.8 s."""


class Recogniser(Protocol):
    """Hears words in a stream of sound."""

    @property
    def heard_s(self) -> float:
        """Seconds of sound fed so far."""
        ...

    @property
    def suspected(self) -> Phrase | None:
        """The phrase that a partial result of the present utterance held first, if any did."""
        ...

    @property
    def age_s(self) -> float:
        """Seconds of sound fed since what hears was made anew."""
        ...

    def feed(self, pcm: bytes) -> list[Word]:
        """Hear more; returns the words of an utterance once it is over, timed in seconds of `heard_s`."""
        ...

    def flush(self) -> list[Word]:
        """End the utterance here, and the sound; returns its words."""
        ...

    def rest(self) -> list[Word]:
        """It is quiet: end the utterance here, and maybe be made anew; returns its words."""
        ...


@cache
def load_model(folder: Path) -> vosk.Model:
    """Load a voice model: 0.1 s for the bundled one, a second or more for large ones; a second time it is there.

    Raises:
        ModelUnusable: it is missing, or Vosk refuses it.
    """
    require_files(folder)
    vosk.SetLogLevel(-1)
    try:
        return vosk.Model(str(folder))
    except Exception as error:  # vosk raises nothing narrower
        msg = f"the voice model at {folder} cannot be used: Vosk refuses to load it; install it again"
        raise ModelUnusable(msg) from error


def grammar(phrases: Sequence[Phrase], decoys: Sequence[str], known: Collection[str]) -> list[str]:
    """What Vosk shall tell apart: the phrases, what is easily taken for them, and any other speech.

    Decoys with a word that the model does not know are left out: Vosk would listen for the rest of their words.
    """
    texts = [phrase.text for phrase in phrases]
    rivals = [decoy for decoy in decoys if decoy not in texts and not unknown_words(decoy, known)]
    return [*texts, *rivals, UNKNOWN]


class VoskRecogniser:
    """Vosk with a grammar. It ends an utterance itself, early or late (see `held` and `UTTERANCE_S`)."""

    def __init__(  # noqa: PLR0913 - what a language is heard with
        self,
        model: vosk.Model,
        sentences: Sequence[str],
        phrases: Sequence[Phrase],
        decoys: Sequence[str] = (),
        verifier: Verifier | None = None,
        *,
        exacting: bool,
    ) -> None:
        self._model = model
        # Vosk's own reader of JSON takes an escaped letter for six characters, and then ignores the word.
        self._grammar = json.dumps(list(sentences), ensure_ascii=False)
        self._held = HeldPhrase(phrases, decoys)
        self._second_hearing = SecondHearing(model, phrases, verifier, exacting=exacting)
        self._before_s = 0.0
        self._fed_bytes = 0
        self._again_bytes = 0
        """Fed to the present recogniser a second time."""
        self._utterance_pcm = b""
        """The sound of the present utterance; never longer than `LONGEST_S`."""
        self._pause_pcm = _SILENCE
        """What the next utterance begins with: the pause that ended the one before. Vosk forgets it, and a network that
        looks back half a second takes what is said out of nothing for silence."""
        self._vosk = self._fresh()

    @property
    def heard_s(self) -> float:
        """Seconds of sound fed so far."""
        return self._before_s + self._fed_bytes / BYTES_PER_S

    @property
    def suspected(self) -> Phrase | None:
        """The phrase that a partial result of the present utterance held first, if any did."""
        return self._held.suspected

    @property
    def age_s(self) -> float:
        """Seconds of sound fed since what hears was made anew."""
        return self._fed_bytes / BYTES_PER_S

    def feed(self, pcm: bytes) -> list[Word]:
        """Hear more; the words come when Vosk calls an utterance over, a phrase in it has held, or it is cut."""
        pcm = _hissing(pcm, self._fed_bytes)
        self._fed_bytes += len(pcm)
        # Less of the pause where the sound has a look-back of its own: it costs as much as any sound, all quiet night.
        again, self._pause_pcm = _last(self._pause_pcm, AGAIN_S - len(pcm) / BYTES_PER_S), b""
        return self._hear(again, pcm)

    def _hear(self, again: bytes, pcm: bytes = b"") -> list[Word]:
        self._again_bytes += len(again)
        pcm = again + pcm
        self._utterance_pcm += pcm
        if self._vosk.AcceptWaveform(pcm):
            return self._utterance(self._vosk.Result())
        partial = json.loads(self._vosk.PartialResult())["partial"].split()
        if self._held.ripe(partial, self.heard_s):
            return self._cut(AGAIN_S)  # the next phrase may have begun: "i need help call the police" in one breath
        length_s = len(self._utterance_pcm) / BYTES_PER_S
        if length_s >= UTTERANCE_S and not self._held.under_way(partial):
            return self._cut(AGAIN_S)
        if length_s >= LONGEST_S:
            return self._cut(AGAIN_UNDER_WAY_S)
        return []

    def _cut(self, again_s: float) -> list[Word]:
        """End an utterance that goes on, and begin the next one with the last of its sound, but no phrase of it."""
        pcm = self._utterance_pcm
        words = self._end()
        since_s = self.heard_s - self._held.said_until_s(words)
        again = _last(pcm, min(again_s, since_s))
        if not again:
            return words
        if since_s < again_s:  # right behind a phrase, out of nothing: the next one's first word would be lost
            again = _quietest(pcm, BREATH_S) + again
        self._pause_pcm = b""
        return words + self._hear(again)

    def flush(self) -> list[Word]:
        """End the utterance here; returns its words. What comes next does not go on from this sound."""
        words = self._end()
        self._pause_pcm = _SILENCE
        return words

    def _end(self) -> list[Word]:
        return self._utterance(self._vosk.FinalResult())

    def rest(self) -> list[Word]:
        """It is quiet: end the utterance here, and be made anew if it is time."""
        words = self._end()
        if self.age_s >= RENEW_AFTER_S:
            self._renew()
        return words

    def _renew(self) -> None:
        self._before_s = self.heard_s
        self._fed_bytes = self._again_bytes = 0
        self._vosk = self._fresh()

    def _fresh(self) -> vosk.KaldiRecognizer:
        recogniser = vosk.KaldiRecognizer(self._model, SAMPLE_RATE_HZ, self._grammar)
        recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
        return recogniser

    def _utterance(self, result_json: str) -> list[Word]:
        before_s = self._before_s - self._again_bytes / BYTES_PER_S
        words = [
            # Vosk rounds times to a microsecond: the last word must not end after all that was heard.
            Word(word["word"], word["start"] + before_s, min(word["end"] + before_s, self.heard_s), word["conf"])
            for word in json.loads(result_json).get("result", [])
        ]
        words = self._second_hearing.of(words, self._utterance_pcm, self.heard_s)
        if self._utterance_pcm:  # else the pause is known: Vosk ended the utterance just before it was asked to
            pause_s = self.heard_s - max((word.end_s for word in words), default=0.0)
            self._pause_pcm = _last(self._utterance_pcm, min(AGAIN_S, pause_s))
        self._held.forget()
        self._utterance_pcm = b""
        if self.age_s >= RENEW_BY_S:
            self._renew()
        return words


def _hissing(pcm: bytes, at_bytes: int) -> bytes:
    """The sound with `_HISS` under it, which goes on from one piece to the next; the same sound always the same."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    first = at_bytes // 2
    hiss = _HISS[np.arange(first, first + len(samples)) % len(_HISS)]
    return np.asarray(np.clip(samples + hiss, -32768, 32767), "<i2").tobytes()


def _quietest(pcm: bytes, seconds: float) -> bytes:
    """The part of this sound with the least energy, so long; all of it if it is shorter."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    length = round(seconds * SAMPLE_RATE_HZ)
    if len(samples) <= length:
        return pcm
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples))])
    start = int(np.argmin(energy[length:] - energy[:-length]))
    return pcm[2 * start : 2 * (start + length)]


def _last(pcm: bytes, seconds: float) -> bytes:
    """The end of this sound, so long; all of it if it is shorter."""
    return pcm[max(0, len(pcm) - 2 * round(max(0.0, seconds) * SAMPLE_RATE_HZ)) :]
