"""When a phrase in a partial result has held long enough to ask for the final one. Pure.

Vosk calls an utterance over half a second or more after its last word, and in running talk only at its next pause.
A partial result is there at once, but it is over-optimistic (peers.md D.1) and its words have no times. So a partial
only makes us ask earlier: the decision always rests on a final result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.voice.decision import Phrase

HOLD_S = 0.3
"""How long a partial must go on saying the phrase: time for the sound after its last word to speak against it."""


class HeldPhrase:
    """Watches the partial results of one utterance."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = [phrase.words for phrase in phrases]
        self._since_s: float | None = None

    def ripe(self, words: Sequence[str], heard_s: float) -> bool:
        """Whether the words of this partial result, at `heard_s`, have held a whole phrase for `HOLD_S`."""
        if not any(self._said_from(words, start) for start in range(len(words))):
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = heard_s
        return heard_s - self._since_s >= HOLD_S

    def forget(self) -> None:
        """The utterance is over."""
        self._since_s = None

    def _said_from(self, words: Sequence[str], start: int) -> bool:
        """Whether a phrase begins here and is whole, and no longer one is under way.

        "help me" waits while it may become "help me please", if that is a phrase too.
        """
        rest = tuple(words[start:])
        whole = any(rest[: len(phrase)] == phrase for phrase in self._phrases)
        under_way = any(phrase[: len(rest)] == rest and len(phrase) > len(rest) for phrase in self._phrases)
        return whole and not under_way
