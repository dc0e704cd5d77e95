"""When a phrase in a partial result has held long enough to ask for the final one. Pure.

Vosk calls an utterance over half a second or more after its last word, and in running talk only at its next pause.
A partial result is there at once, but it is over-optimistic (peers.md D.1) and its words have no times. So a partial
only makes us ask earlier: the decision always rests on a final result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.voice.decision import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.voice.decision import Phrase, Word

HOLD_S = 0.3
"""How long a partial must go on saying the phrase: time for the sound after its last word to speak against it."""


class HeldPhrase:
    """Watches the partial results of one utterance."""

    def __init__(self, phrases: Sequence[Phrase], decoys: Sequence[str] = ()) -> None:
        self._phrases = sorted(phrases, key=lambda phrase: len(phrase.words), reverse=True)
        self._decoys = [tuple(decoy.split()) for decoy in decoys]
        self._sentences = [*(phrase.words for phrase in phrases), *self._decoys]
        self._since_s: float | None = None
        self.suspected: Phrase | None = None
        """The phrase that a partial result of this utterance held first, if any did."""

    def ripe(self, words: Sequence[str], heard_s: float) -> bool:
        """Whether the words of this partial result, at `heard_s`, have held a whole phrase for `HOLD_S`."""
        phrase = self._whole(tuple(words))
        if phrase is None:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = heard_s
        self.suspected = self.suspected or phrase
        return heard_s - self._since_s >= HOLD_S

    def under_way(self, words: Sequence[str]) -> bool:
        """Whether the words of this partial result end with a phrase or with the beginning of one."""
        said = tuple(words)
        return any(
            said[len(said) - count :] == phrase.words[:count]
            for phrase in self._phrases
            for count in range(1, min(len(said), len(phrase.words)) + 1)
        )

    def said_until_s(self, words: Sequence[Word]) -> float:
        """When the last phrase in these words ended; 0 without one."""
        return max(
            (words[start + len(phrase.words) - 1].end_s for phrase, start in places(words, self._phrases)), default=0.0
        )

    def forget(self) -> None:
        """The utterance is over."""
        self._since_s = None
        self.suspected = None

    def _whole(self, words: tuple[str, ...]) -> Phrase | None:
        """The first phrase in these words that nothing longer speaks against, of two at one place the longer one."""
        for start in range(len(words)):
            for phrase in self._phrases:
                end = start + len(phrase.words)
                if words[start:end] == phrase.words and not self._in_longer(words, start, end):
                    return phrase
        return None

    def _in_longer(self, words: tuple[str, ...], start: int, end: int) -> bool:
        """Whether the words from `start` to `end` are part of a decoy, or may become part of something longer.

        "help me" waits while it may become "help me please", if that is a phrase too, or "help me out", if that is a
        decoy; and "can you help me" waits for the "today" of a silent phrase.
        """
        for begin in range(start + 1):
            rest = words[begin:]
            if any(len(each) > len(rest) and each[: len(rest)] == rest for each in self._sentences):
                return True
            covers = max(end - begin, end - start + 1)
            if any(len(each) >= covers and rest[: len(each)] == each for each in self._decoys):
                return True
        return False
