"""A phrase that was heard in a stream is looked at once more, by itself: is it there, and how well does it fit?

In a stream the words of a grammar compete with what an utterance holds before and after them: talk that ends like a
phrase begins to read as one. Where the model says what its total scores are worth (`evidence.py`), it is weighed by
how much better the sound fits the phrase, with other speech around it or without, than it fits other speech alone.
Of any other model it is heard again by itself, and where it is not, it is no surer than that: with the bundled model of
before that took away half of what was false and none of 107 calls.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import vosk

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import Word, places
from agent.voice.evidence import MOST
from agent.voice.lexicon import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.voice.decision import Phrase
    from agent.voice.evidence import Evidence

ENOUGH = 0.5
"""A word that is as sure as this in the second hearing stays as sure as it was in the first: of false phrases most are
not there at all, and true ones may lack some sureness without the sound around them."""
BEFORE_S = 0.4
"""Heard again before the phrase: the first sound of a phrase is often put too late."""
SCORED_BEFORE_S, SCORED_AFTER_S = 0.8, 0.3
"""Scored around the phrase, as far as it has been heard. The bundled network looks back more than half a second: where
it has less, it takes the beginning of a call for silence. On 0.05 and 0.1 s, and with nothing but the phrase allowed
in them, calls within a sentence and over talk are weighed too lightly (`provisioning/voice-model/README.md`)."""


class SecondHearing:
    """Hears phrases again, with the voice model that heard them first."""

    def __init__(self, model: vosk.Model, phrases: Sequence[Phrase], evidence: Evidence | None = None) -> None:
        self._model = model
        self._phrases = phrases
        self._evidence = evidence

    def of(self, words: Sequence[Word], pcm: bytes, until_s: float) -> list[Word]:
        """The same words, those of phrases as sure as the second hearing and the evidence leave or make them.

        A word that two phrases share ("help" of "please help me") is as sure as the surer one of them.

        Args:
            words: Of one utterance.
            pcm: Its sound, and as much as is known of what was before it.
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
        first = [word.confidence for word in said]
        if self._evidence is None:
            again = self._hear(phrase, _part(pcm, until_s, said[0].start_s - BEFORE_S, until_s))
            return [before if now >= ENOUGH else min(before, now) for before, now in zip(first, again, strict=True)]
        if min(first) + MOST < phrase.least_confidence:
            return first
        around = _part(pcm, until_s, said[0].start_s - SCORED_BEFORE_S, said[-1].end_s + SCORED_AFTER_S)
        ratio = self._score(_alone_or_in_speech(phrase.text), around) - self._score(_SPEECH, around)
        gain = self._evidence.gain(ratio, sum(map(len, phrase.words)))
        return [min(1.0, max(0.0, confidence + gain)) for confidence in first]

    def _hear(self, phrase: Phrase, pcm: bytes) -> Sequence[float]:
        """How sure each word of the phrase is in this sound, nothing else being listened for; 0 where it is not."""
        recogniser = self._listener(phrase.text, UNKNOWN)
        recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
        words = [
            Word(word["word"], word["start"], word["end"], word["conf"])
            for result in _results(recogniser, pcm)
            for word in json.loads(result).get("result", [])
        ]
        said = [words[start : start + len(phrase.words)] for _, start in places(words, [phrase])]
        return max(([word.confidence for word in each] for each in said), key=min, default=[0.0] * len(phrase.words))

    def _score(self, sentences: Sequence[str], pcm: bytes) -> float:
        """The log-likelihood of this sound as one of these sentences: Vosk's total score of the best path, in nats."""
        recogniser = self._listener(*sentences)
        recogniser.SetMaxAlternatives(1)  # "confidence" is then what the whole path costs, negated
        return float(sum(json.loads(result)["alternatives"][0]["confidence"] for result in _results(recogniser, pcm)))

    def _listener(self, *sentences: str) -> vosk.KaldiRecognizer:
        return vosk.KaldiRecognizer(self._model, SAMPLE_RATE_HZ, json.dumps(sentences, ensure_ascii=False))


_SPEECH = (UNKNOWN, f"{UNKNOWN} {UNKNOWN}")


def _alone_or_in_speech(phrase: str) -> tuple[str, ...]:
    return f"{UNKNOWN} {phrase} {UNKNOWN}", f"{UNKNOWN} {phrase}", f"{phrase} {UNKNOWN}", phrase


def _results(recogniser: vosk.KaldiRecognizer, pcm: bytes) -> list[str]:
    first = [recogniser.Result()] if recogniser.AcceptWaveform(pcm) else []
    return [*first, recogniser.FinalResult()]


def _part(pcm: bytes, until_s: float, from_s: float, to_s: float) -> bytes:
    """The sound between two moments, of sound that ended at `until_s`; as much of it as there is."""
    first, last = (max(0, len(pcm) - 2 * round((until_s - at_s) * SAMPLE_RATE_HZ)) for at_s in (from_s, to_s))
    return pcm[first:last]
