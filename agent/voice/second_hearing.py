"""A phrase that was heard in a stream is heard once more by itself; where it is not, it is no surer than that.

In a stream the words of a grammar compete with what an utterance holds before and after them: talk that ends like a
phrase begins to read as one. So the phrase is listened for in its own sound once more, against nothing but other
speech; and where it stands clearly out of the noise around it, it has to fit the better. Where a unit has a second
engine (`verifier.py`), that one is asked as well.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import structlog
import vosk

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import Word, places
from agent.voice.lexicon import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.voice.decision import Phrase
    from agent.voice.verifier import Verifier

log = structlog.get_logger()

ENOUGH = 0.5
"""A word that is as sure as this in the second hearing stays as sure as it was in the first: of false phrases most are
not there at all, and true ones may lack some sureness without the sound around them."""
BEFORE_S = 0.8
"""Heard again before the phrase: its first sound is often put too late, and a network that looks back half a second
takes the beginning of what it hears out of nothing for silence."""
CLEAR_DB = 25.0
"""What stands so far out of the noise around it is heard clearly, and has to fit the phrase more exactly. Calls at
20 dB SNR over the bench's noises stand out by 22 to 30 dB, at 10 dB by 13 to 20 dB. Talk that is taken for a phrase is
mostly heard clearly, and fits it loosely; a call in noise fits no better than that."""
DOUBT_PER_LETTER = 0.5
"""How much better than other speech the phrase has to fit, where it is heard clearly: nats for each letter, which
stand for its sounds (of other models' words no sounds are known). Picked with `min_confidence`, the filler's scale and
what the second engine may say (`provisioning/voice-model/README.md`). Of the bundled model only: nobody has measured
other fillers."""
ALLOWED = 5.0
"""A phrase of less than ten letters has to fit better by a nat for each, less this, and one of five by nothing: what is
taken for "help me" fits as well as calls do, so that asking for it costs people's calls (342 of 372 with half a nat a
letter, 346 with this) and takes no near miss away."""
MOST_DOUBT = math.log(10_000)
"""No more is asked of long phrases: Vosk needs a sentence for each unit of e**doubt, and 10,000 of them take 8 ms."""
DENIED = -4.5
"""What the second engine finds less likely than this (nats) was not said, where it is heard clearly. In noise it
denies nothing, since it hears less there than the first engine: by -10 one of 32 false phrases would be gone, and 14
of 468 calls at 10 and 5 dB."""
CONFIRMED = -1.0
"""What it finds at least so likely was said, however unsure the first engine is of words that it heard at all (from
`HEARD_AT_ALL` on). Both were picked for the network before; for today's they leave 21 of 32 false phrases in 2.9 h of
near misses, and 1,359 of 1,361 calls (`provisioning/voice-model/README.md`)."""
HEARD_AT_ALL = 0.3
VERIFIED_BEFORE_S = 0.1, 0.8
"""The second engine hears the phrase from so long before it, and its better opinion counts: the nearer beginning cuts
off what was said before, the farther one does not cut off a first sound that is put too late."""
FRAME_SAMPLES = SAMPLE_RATE_HZ // 50
LOUD_PERCENTILE, QUIET_PERCENTILE = 90, 10
"""Of the levels of 20 ms: the vowels of a phrase, and the pauses around it."""


class SecondHearing:
    """Hears phrases again, with the voice model that heard them first."""

    def __init__(
        self,
        model: vosk.Model,
        phrases: Sequence[Phrase],
        verifier: Verifier | None = None,
        *,
        exacting: bool,
    ) -> None:
        """Hear phrases again.

        Args:
            model: That heard them first.
            phrases: To listen for.
            verifier: The second engine; None: there is none.
            exacting: Whether a phrase that is heard clearly has to fit better than other speech does.
        """
        self._model = model
        self._phrases = phrases
        self._exacting = exacting
        self._verifier = verifier

    def of(self, words: Sequence[Word], pcm: bytes, until_s: float) -> list[Word]:
        """The same words, those of phrases as sure as the second hearing, and the second engine, leave them.

        A word that two phrases share ("help" of "please help me") is as sure as the surer one of them.

        Args:
            words: Of one utterance.
            pcm: Its sound.
            until_s: When that sound ended, on the words' clock.
        """
        sure: dict[int, float] = {}
        for phrase, start in places(words, self._phrases):
            said = words[start : start + len(phrase.words)]
            for number, confidence in enumerate(self._sure(phrase, said, pcm, until_s), start):
                sure[number] = max(sure.get(number, 0.0), confidence)
        return [replace(word, confidence=sure[number]) if number in sure else word for number, word in enumerate(words)]

    def _sure(self, phrase: Phrase, said: Sequence[Word], pcm: bytes, until_s: float) -> list[float]:
        """How sure each word of a phrase is after all."""
        clear = stands_out_db(_part(pcm, until_s, said[0].start_s, said[-1].end_s), pcm) >= CLEAR_DB
        doubt = exactness(phrase) if clear and self._exacting else 0.0
        heard = self._hear(phrase, _part(pcm, until_s, said[0].start_s - BEFORE_S, until_s), doubt)
        sure = [
            word.confidence if again >= ENOUGH else min(word.confidence, again)
            for word, again in zip(said, heard, strict=True)
        ]
        if self._verifier is None or not all(word.confidence >= HEARD_AT_ALL for word in said):
            return sure
        return self._verified(
            self._verifier,
            phrase,
            sure,
            clear=clear,
            pcm=[_part(pcm, until_s, said[0].start_s - before_s, until_s) for before_s in VERIFIED_BEFORE_S],
        )

    def _verified(
        self, verifier: Verifier, phrase: Phrase, sure: list[float], *, clear: bool, pcm: Sequence[bytes]
    ) -> list[float]:
        """How sure each word is with the second engine's opinion; without, should it fail: no call is lost by that."""
        try:
            fit = max(verifier.fit(phrase.text, each) for each in pcm)
        except Exception:
            log.exception("verifier_failed")
            return sure
        if fit >= CONFIRMED:
            return [1.0] * len(sure)
        return [0.0] * len(sure) if clear and fit < DENIED else sure

    def _hear(self, phrase: Phrase, pcm: bytes, doubt: float) -> Sequence[float]:
        """How sure each word of the phrase is in this sound, nothing else being listened for; 0 where it is not.

        Args:
            phrase: The phrase.
            pcm: The sound.
            doubt: How many nats the phrase has to fit better than other speech does. Vosk's grammars have no weights:
                a sentence that is in one e**doubt times is so much likelier.
        """
        in_speech = f"{UNKNOWN} {phrase.text} {UNKNOWN}", f"{UNKNOWN} {phrase.text}", f"{phrase.text} {UNKNOWN}"
        recogniser = self._listener(phrase.text, *in_speech, *[UNKNOWN] * round(math.exp(doubt)))
        recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
        words = [
            Word(word["word"], word["start"], word["end"], word["conf"])
            for result in _results(recogniser, pcm)
            for word in json.loads(result).get("result", [])
        ]
        said = [words[start : start + len(phrase.words)] for _, start in places(words, [phrase])]
        return max(([word.confidence for word in each] for each in said), key=min, default=[0.0] * len(phrase.words))

    def _listener(self, *sentences: str) -> vosk.KaldiRecognizer:
        return vosk.KaldiRecognizer(self._model, SAMPLE_RATE_HZ, json.dumps(sentences, ensure_ascii=False))


def exactness(phrase: Phrase) -> float:
    """How many nats better than other speech this phrase has to fit where it is heard clearly."""
    letters = sum(map(len, phrase.words))
    return min(MOST_DOUBT, DOUBT_PER_LETTER * letters, max(0.0, letters - ALLOWED))


def _results(recogniser: vosk.KaldiRecognizer, pcm: bytes) -> list[str]:
    first = [recogniser.Result()] if recogniser.AcceptWaveform(pcm) else []
    return [*first, recogniser.FinalResult()]


def stands_out_db(pcm: bytes, around: bytes) -> float:
    """By how much the loud moments of a sound are above the quiet ones of what is around it; 0 for less than 20 ms."""
    levels, around_levels = _levels_db(pcm), _levels_db(around)
    if not len(levels) or not len(around_levels):
        return 0.0
    return float(np.percentile(levels, LOUD_PERCENTILE) - np.percentile(around_levels, QUIET_PERCENTILE))


def _levels_db(pcm: bytes) -> NDArray[np.float64]:
    """Of each 20 ms, without the mean of all; digital silence is as loud as a step of the converter."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    samples -= samples.mean() if len(samples) else 0.0
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.asarray(10 * np.log10(np.square(frames).mean(axis=1) + 1))


def _part(pcm: bytes, until_s: float, from_s: float, to_s: float) -> bytes:
    """The sound between two moments, of sound that ended at `until_s`; as much of it as there is."""
    first, last = (max(0, len(pcm) - 2 * round((until_s - at_s) * SAMPLE_RATE_HZ)) for at_s in (from_s, to_s))
    return pcm[first:last]
