"""From sound to words, with Vosk behind a protocol of a few lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import vosk

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import Word
from agent.voice.held import HeldPhrase
from agent.voice.lexicon import UNKNOWN, ModelUnusable, require_files, unknown_words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from agent.voice.decision import Phrase

RENEW_AFTER_S = 600.0
"""Of sound given to it. A recogniser's memory grows as long as it lives (peers.md, pain point 16); a new one costs
under a millisecond with the bundled model. It knows nothing of the sound before it, so it is renewed when nobody
speaks."""
RENEW_BY_S = 1800.0
"""Where the gate does not shut, in a place that is loud for hours, it is renewed after this at the end of the next
utterance though talk may go on. Vosk ends one after 20 s at the latest (Kaldi's endpoint rule 5)."""
BYTES_PER_S = SAMPLE_RATE_HZ * 2


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
        """End the utterance here; returns its words."""
        ...

    def rest(self) -> list[Word]:
        """It is quiet: as `flush`, and time to be made anew."""
        ...


def load_model(folder: Path) -> vosk.Model:
    """Load a voice model: 13 ms for the bundled one, a second or more for large ones.

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
    """Vosk with a grammar. It ends an utterance itself as soon as a phrase has held for a while (see `held`)."""

    def __init__(
        self, model: vosk.Model, sentences: Sequence[str], phrases: Sequence[Phrase], decoys: Sequence[str] = ()
    ) -> None:
        self._model = model
        # Vosk's own reader of JSON takes an escaped letter for six characters, and then ignores the word.
        self._grammar = json.dumps(list(sentences), ensure_ascii=False)
        self._held = HeldPhrase(phrases, decoys)
        self._before_s = 0.0
        self._fed_bytes = 0
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
        """Hear more; the words of an utterance come when Vosk calls it over, or a phrase in it has held."""
        self._fed_bytes += len(pcm)
        if self._vosk.AcceptWaveform(pcm):
            return self._utterance(self._vosk.Result())
        partial = json.loads(self._vosk.PartialResult())["partial"]
        if self._held.ripe(partial.split(), self.heard_s):
            return self.flush()
        return []

    def flush(self) -> list[Word]:
        """End the utterance here; returns its words."""
        return self._utterance(self._vosk.FinalResult())

    def rest(self) -> list[Word]:
        """It is quiet: end the utterance here, and be made anew if it is time."""
        words = self.flush()
        if self.age_s >= RENEW_AFTER_S:
            self._renew()
        return words

    def _renew(self) -> None:
        self._before_s = self.heard_s
        self._fed_bytes = 0
        self._vosk = self._fresh()

    def _fresh(self) -> vosk.KaldiRecognizer:
        recogniser = vosk.KaldiRecognizer(self._model, SAMPLE_RATE_HZ, self._grammar)
        recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
        return recogniser

    def _utterance(self, result_json: str) -> list[Word]:
        words = [
            Word(word["word"], word["start"] + self._before_s, word["end"] + self._before_s, word["conf"])
            for word in json.loads(result_json).get("result", [])
        ]
        self._held.forget()
        if self.age_s >= RENEW_BY_S:
            self._renew()
        return words
