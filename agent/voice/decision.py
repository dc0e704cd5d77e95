"""When words count as a call for help. Pure: words with times and confidences in, decisions out.

A grammar makes Vosk hear its own words everywhere, also in the wrong order, half a phrase at a time or stretched over
seconds of noise; its confidence is a posterior within that tiny grammar and mostly near 1 (peers.md D.1). So a phrase
counts only as a whole, at the pace of speech, with every word sure enough, and with words that are not those of a
longer decoy; some phrases only when they are said twice. Who is not heard surely calls again: two phrases in a row that
are each a little less sure than one must be count as well, since talk seldom does that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_GAP_S = 0.6
"""Longest pause between two words of a phrase (peers.md D.4)."""
MIN_WORD_S = 0.05
"""Mean time of a word below which nobody speaks: fast speech runs at about 6 words a second, "i" and "the" taking
three frames of 30 ms."""
MIN_PHRASE_S = 0.2
"""Shortest phrase; the shortest "help me" of the test voices, at 215 words a minute, takes 0.3 s."""
MAX_WORD_S = 1.5
"""Longest word: a drawn-out "heeelp" is one, a word stretched over noise is not."""
AGAIN_WITHIN_S = 10.0
"""Whoever gets no answer calls again within this time, as with the safe-point profile's `repeat_within_s`."""


@dataclass(frozen=True)
class Word:
    """One word as the recogniser heard it."""

    text: str
    start_s: float
    end_s: float
    confidence: float
    """0 to 1; the recogniser's own, or that of the second hearing where it is less (`second_hearing.py`)."""

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
    repeat_within_s: float | None = None
    """It counts only when it was said before, and that ended at most so long ago; None: once is enough."""
    unsure_confidence: float | None = None
    """Less sure than `min_confidence`, but at least this sure, it counts as the second of two such phrases; None:
    never. It changes nothing of a phrase that must be said twice anyway."""

    @property
    def least_confidence(self) -> float:
        """What is less sure than this is not looked at."""
        if self.unsure_confidence is None or self.repeat_within_s is not None:
            return self.min_confidence
        return min(self.unsure_confidence, self.min_confidence)

    @property
    def text(self) -> str:
        """The words as one string."""
        return " ".join(self.words)


def places(words: Sequence[Word], phrases: Sequence[Phrase]) -> Iterator[tuple[Phrase, int]]:
    """Each phrase in these words, with the number of the word that it begins at."""
    texts = tuple(word.text for word in words)
    for phrase in phrases:
        count = len(phrase.words)
        for start in range(len(texts) - count + 1):
            if texts[start : start + count] == phrase.words:
                yield phrase, start


@dataclass(frozen=True)
class Detection:
    """A phrase was said."""

    phrase: Phrase
    start_s: float
    """Of what was said twice to count, when it was said first."""
    end_s: float
    decided_s: float
    """When enough sound had been heard to say so."""
    confidence: float
    """Of the least sure word."""


@dataclass(frozen=True)
class Suspicion:
    """A partial result holds a phrase. Only a `Detection` says that it was said."""

    phrase: Phrase
    since_s: float
    """When enough sound had been heard for it; the words have no times yet."""


LastCounted = dict[tuple[str, bool], float]
"""When each call counted last: by its phrases' label, and whether they are silent. A silent call is another one."""


class Rejection(StrEnum):
    """Why a phrase whose words were all heard did not count."""

    DISORDERED = "disordered"
    """Its words have times that are no numbers, or that run backwards: no recogniser that works says so."""
    UNSURE = "unsure"
    GAP = "gap"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    DECOY = "decoy"
    """Its words are part of a longer decoy that was said."""
    SAID_ONCE = "said-once"
    UNSURE_ONCE = "unsure-once"
    """As sure as one of two must be, and it was the first."""
    REFRACTORY = "refractory"


class Decider:
    """Finds the phrases in what was heard in one language; remembers only when each was last said."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        refractory_s: float,
        decoys: Sequence[str] = (),
        last_counted: LastCounted | None = None,
    ) -> None:
        """A decider that has heard nothing yet.

        Args:
            phrases: What counts.
            refractory_s: The same call, by whichever of its phrases, counts again only after this time.
            decoys: What does not count, and takes the phrases in it along; those of the recogniser's grammar.
            last_counted: Shared by the deciders of all languages of a microphone, which write it: whoever calls in two
                languages, or is heard by two models, calls once. None: there are no others.
        """
        self._phrases = sorted(phrases, key=lambda phrase: len(phrase.words), reverse=True)
        self._decoys = [tuple(decoy.split()) for decoy in decoys]
        self._refractory_s = refractory_s
        self._last_said: dict[Phrase, tuple[float, float]] = {}
        """First and last moment, whether it counted or not."""
        self._unsure: dict[bool, tuple[float, float]] = {}
        """First and last moment of what was said last without being sure, of silent phrases and of others."""
        self._last_counted: LastCounted = {} if last_counted is None else last_counted
        self.rejected: Counter[Rejection] = Counter()
        """Candidates that did not count, by reason."""

    def decide(self, words: Sequence[Word], decided_s: float) -> list[Detection]:
        """The phrases in these words, in order; of phrases that begin at the same word the longest that was said."""
        found = []
        index = 0
        while index < len(words):
            phrase = self._said_at(words, index)
            if phrase is None:
                index += 1
                continue
            said = words[index : index + len(phrase.words)]
            index += len(said)
            if detection := self._counted(phrase, said, decided_s):
                found.append(detection)
        return found

    def _said_at(self, words: Sequence[Word], index: int) -> Phrase | None:
        """The phrase that was really said from this word on, surely if any was, whether it counts or not."""
        unsure: Phrase | None = None
        for phrase in self._phrases:
            if not _reads(words[index : index + len(phrase.words)], phrase.words):
                continue
            rejection = self._rejection(words, index, phrase, phrase.min_confidence)
            if rejection is None:
                return phrase
            if unsure is None and self._unsurely_said(words, index, phrase):
                unsure = phrase
            else:
                self.rejected[rejection] += 1
        return unsure

    def _unsurely_said(self, words: Sequence[Word], index: int, phrase: Phrase) -> bool:
        """Whether this phrase was said as surely as one of two must be, and no sure one begins within it."""
        return self._rejection(words, index, phrase, phrase.least_confidence) is None and not any(
            _reads(words[later : later + len(other.words)], other.words)
            and self._rejection(words, later, other, other.min_confidence) is None
            for later in range(index + 1, index + len(phrase.words))
            for other in self._phrases
        )

    def _rejection(self, words: Sequence[Word], index: int, phrase: Phrase, confidence: float) -> Rejection | None:
        """What speaks against this phrase having been said from this word on, where it reads so, so surely."""
        fault = _fault(words[index : index + len(phrase.words)], confidence)
        if fault is None and self._taken(words, index, phrase, confidence):
            return Rejection.DECOY
        return fault

    def _taken(self, words: Sequence[Word], index: int, phrase: Phrase, confidence: float) -> bool:
        """Whether a decoy holds the phrase that begins here, and more, and was said as surely as the phrase has to be.

        One that only shares some of the phrase's words ("call me" in "call me help") takes none: a call costs more
        than an alert for nothing.
        """
        end = index + len(phrase.words)
        for decoy in self._decoys:
            if len(decoy) <= len(phrase.words):
                continue
            for begin in range(max(0, end - len(decoy)), index + 1):
                said = words[begin : begin + len(decoy)]
                if _reads(said, decoy) and _fault(said, confidence) is None:
                    return True
        return False

    def _counted(self, phrase: Phrase, said: Sequence[Word], decided_s: float) -> Detection | None:
        """What follows from the phrase having been said, after what was said of it before."""
        start_s, end_s = said[0].start_s, said[-1].end_s
        before = self._last_said.get(phrase)
        self._last_said[phrase] = (start_s, end_s)
        call = (phrase.label, phrase.silent)
        counted_s = self._last_counted.get(call)
        if counted_s is not None and start_s < counted_s + self._refractory_s:
            self.rejected[Rejection.REFRACTORY] += 1
            return None
        if phrase.repeat_within_s is not None:
            if before is None or not before[0] < start_s <= before[1] + phrase.repeat_within_s:
                self.rejected[Rejection.SAID_ONCE] += 1
                return None
            start_s = before[0]
        if any(word.confidence < phrase.min_confidence for word in said):
            unsure = self._unsure.get(phrase.silent)
            if unsure is None or not unsure[1] <= start_s <= unsure[1] + AGAIN_WITHIN_S:
                self._unsure[phrase.silent] = (start_s, end_s)
                self.rejected[Rejection.UNSURE_ONCE] += 1
                return None
            start_s = unsure[0]
        self._unsure.pop(phrase.silent, None)
        self._last_counted[call] = end_s
        return Detection(phrase, start_s, end_s, decided_s, min(word.confidence for word in said))


def _reads(said: Sequence[Word], words: tuple[str, ...]) -> bool:
    """Whether these words read so."""
    return tuple(word.text for word in said) == words


def _fault(said: Sequence[Word], min_confidence: float) -> Rejection | None:
    """What is wrong with these words as an utterance of what they read."""
    if not _in_order(said):
        return Rejection.DISORDERED
    if not all(word.confidence >= min_confidence for word in said):  # also of one that is no number
        return Rejection.UNSURE
    if any(after.start_s - before.end_s > MAX_GAP_S for before, after in pairwise(said)):
        return Rejection.GAP
    if said[-1].end_s - said[0].start_s < max(MIN_PHRASE_S, MIN_WORD_S * len(said)):
        return Rejection.TOO_SHORT
    if any(word.end_s - word.start_s > MAX_WORD_S for word in said):
        return Rejection.TOO_LONG
    return None


def _in_order(said: Sequence[Word]) -> bool:
    """Whether the times are numbers, and run forwards as the words do."""
    return all(isfinite(word.start_s) and isfinite(word.end_s) and word.start_s <= word.end_s for word in said) and all(
        before.start_s <= after.start_s for before, after in pairwise(said)
    )
