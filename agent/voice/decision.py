"""When words count as a call for help. Pure: words with times and confidences in, decisions out.

A grammar makes Vosk hear its own words everywhere, also in the wrong order, half a phrase at a time or stretched over
seconds of noise; its confidence is a posterior within that tiny grammar and mostly near 1 (peers.md D.1). So a phrase
counts only as a whole, at the pace of speech, and with every word sure enough.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_GAP_S = 0.6
"""Longest pause between two words of a phrase (peers.md D.4)."""
MIN_WORD_S = 0.05
"""Mean time of a word below which nobody speaks: fast speech runs at about 6 words a second, "i" and "the" taking
three frames of 30 ms."""
MIN_PHRASE_S = 0.2
"""Shortest phrase; the shortest "help me" of the test voices, at 215 words a minute, takes 0.3 s."""
MAX_WORD_S = 1.5
"""Longest word: a drawn-out "heeelp" is one, a word stretched over noise is not."""


@dataclass(frozen=True)
class Word:
    """One word as the recogniser heard it."""

    text: str
    start_s: float
    end_s: float
    confidence: float
    """0 to 1."""

    def later(self, seconds: float) -> Word:
        """The same word on a clock that reads `seconds` more."""
        return Word(self.text, self.start_s + seconds, self.end_s + seconds, self.confidence)


@dataclass(frozen=True)
class Phrase:
    """What to listen for."""

    words: tuple[str, ...]
    label: str
    min_confidence: float
    """Each of its words must be at least this sure."""
    silent: bool = False

    @property
    def text(self) -> str:
        """The words as one string."""
        return " ".join(self.words)


@dataclass(frozen=True)
class Detection:
    """A phrase was said."""

    phrase: Phrase
    start_s: float
    end_s: float
    decided_s: float
    """When enough sound had been heard to say so."""
    confidence: float
    """Of the least sure word."""


class Rejection(StrEnum):
    """Why a phrase whose words were all heard did not count."""

    UNSURE = "unsure"
    GAP = "gap"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    REFRACTORY = "refractory"


class Decider:
    """Finds the phrases in what was heard; remembers only when each was last said."""

    def __init__(self, phrases: Sequence[Phrase], refractory_s: float) -> None:
        self._phrases = sorted(phrases, key=lambda phrase: len(phrase.words), reverse=True)
        self._refractory_s = refractory_s
        self._last_end_s: dict[Phrase, float] = {}
        self.rejected: Counter[Rejection] = Counter()
        """Candidates that did not count, by reason."""

    def decide(self, words: Sequence[Word], decided_s: float) -> list[Detection]:
        """The phrases in these words, in order; of phrases that begin at the same word the longest that counts."""
        found = []
        index = 0
        while index < len(words):
            detection = self._at(words, index, decided_s)
            if detection:
                found.append(detection)
                self._last_end_s[detection.phrase] = detection.end_s
            index += len(detection.phrase.words) if detection else 1
        return found

    def _at(self, words: Sequence[Word], index: int, decided_s: float) -> Detection | None:
        for phrase in self._phrases:
            said = words[index : index + len(phrase.words)]
            if tuple(word.text for word in said) != phrase.words:
                continue
            if rejection := self._fault(phrase, said):
                self.rejected[rejection] += 1
                continue
            confidence = min(word.confidence for word in said)
            return Detection(phrase, said[0].start_s, said[-1].end_s, decided_s, confidence)
        return None

    def _fault(self, phrase: Phrase, said: Sequence[Word]) -> Rejection | None:
        """What is wrong with these words as an utterance of the phrase."""
        duration_s = said[-1].end_s - said[0].start_s
        if any(word.confidence < phrase.min_confidence for word in said):
            return Rejection.UNSURE
        if any(after.start_s - before.end_s > MAX_GAP_S for before, after in pairwise(said)):
            return Rejection.GAP
        if duration_s < max(MIN_PHRASE_S, MIN_WORD_S * len(said)):
            return Rejection.TOO_SHORT
        if any(word.end_s - word.start_s > MAX_WORD_S for word in said):
            return Rejection.TOO_LONG
        if (last_end_s := self._last_end_s.get(phrase)) is not None and said[
            0
        ].start_s < last_end_s + self._refractory_s:
            return Rejection.REFRACTORY
        return None
