"""A phrase that was heard in a stream is heard once more by itself; where it is not, it is no surer than that.

In a stream the words of a grammar compete with what an utterance holds before and after them: talk that ends like a
phrase begins to read as one. Listening to its sound alone takes half of such phrases away and none that was truly said:
of 107 calls at all noise levels that counted, all counted again; of 11 false ones 6 did (`tests/voice_bench`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import vosk

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import Word, places
from agent.voice.lexicon import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.voice.decision import Phrase

ENOUGH = 0.5
"""A word that is as sure as this in the second hearing stays as sure as it was in the first: of false phrases most are
not there at all, and true ones may lack some sureness without the sound around them."""
BEFORE_S = 0.4
"""Heard again before the phrase: the first sound of a phrase is often put too late."""


class SecondHearing:
    """Hears phrases again, with the voice model that heard them first."""

    def __init__(self, model: vosk.Model, phrases: Sequence[Phrase]) -> None:
        self._model = model
        self._phrases = phrases

    def of(self, words: Sequence[Word], pcm: bytes, until_s: float) -> list[Word]:
        """The same words, those of phrases that are not heard again no surer than the second hearing has them.

        A word that two phrases share ("help" of "please help me") is as sure as the surer one of them.

        Args:
            words: Of one utterance.
            pcm: Its sound.
            until_s: When that sound ended, on the words' clock.
        """
        again: dict[int, float] = {}
        for phrase, start in places(words, self._phrases):
            first = round((until_s - words[start].start_s + BEFORE_S) * SAMPLE_RATE_HZ)
            heard = self._hear(phrase, pcm[max(0, len(pcm) - 2 * first) :])
            for offset, confidence in enumerate(heard):
                again[start + offset] = max(again.get(start + offset, 0.0), confidence)
        return [
            word if again.get(number, 1.0) >= ENOUGH else word.as_sure_as(again[number])
            for number, word in enumerate(words)
        ]

    def _hear(self, phrase: Phrase, pcm: bytes) -> Sequence[float]:
        """How sure each word of the phrase is in this sound, nothing else being listened for; 0 where it is not."""
        recogniser = vosk.KaldiRecognizer(
            self._model, SAMPLE_RATE_HZ, json.dumps([phrase.text, UNKNOWN], ensure_ascii=False)
        )
        recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
        results = [recogniser.Result()] if recogniser.AcceptWaveform(pcm) else []
        words = [
            Word(word["word"], word["start"], word["end"], word["conf"])
            for result in (*results, recogniser.FinalResult())
            for word in json.loads(result).get("result", [])
        ]
        said = [words[start : start + len(phrase.words)] for _, start in places(words, [phrase])]
        return max(([word.confidence for word in each] for each in said), key=min, default=[0.0] * len(phrase.words))
