"""Which numbers of a unit's durable sequence never came."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Final

MOST_SPANS: Final = 64
"""Gaps of a unit, and spans that it declared as skipped, that are told apart."""


@dataclass(frozen=True, order=True)
class Span:
    """The numbers from `first` to `last`, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    def without(self, other: Span) -> list[Span]:
        """What of this span lies outside the other: none, one or two spans."""
        pieces = (Span(self.first, min(self.last, other.first - 1)), Span(max(self.first, other.last + 1), self.last))
        return [piece for piece in pieces if piece.first <= piece.last] if self._meets(other) else [self]

    def _meets(self, other: Span) -> bool:
        return self.first <= other.last and other.first <= self.last


class SequenceWatch:
    """Follows the numbers of one unit. Spans, not sets: one absurd number must not fill the memory.

    Numbers may come in any order (a help call overtakes what waits in the outbox), so a gap is what is missing
    below the highest number seen, and it closes when the late number comes or the unit says it never will.
    Above `MOST_SPANS` gaps the two that lie closest are told as one, with what came between them.
    """

    def __init__(self) -> None:
        self.highest: int | None = None
        self._missing: list[Span] = []
        self._skipped: list[Span] = []

    @property
    def missing(self) -> tuple[Span, ...]:
        """The open gaps, lowest first."""
        return tuple(self._missing)

    def saw(self, number: int) -> None:
        """A message with this number came. The first one of all is where watching begins."""
        self.gave(number)
        self._missing = _few(_outside(self._missing, Span(number, number)))

    def gave(self, number: int) -> None:
        """The unit gave out this number: it and all below it must come, unless watching begins only here."""
        if self.highest is not None and number > self.highest:
            gap = [Span(self.highest + 1, number)]
            for skipped in self._skipped:
                gap = _outside(gap, skipped)
            self._missing = _few(self._missing + gap)
        self.highest = number if self.highest is None else max(self.highest, number)

    def skip(self, span: Span) -> None:
        """The unit declared that it gave these numbers to nothing."""
        if span not in self._skipped:
            # Of what was declared the latest counts: an earlier one has done its work once a higher number came.
            self._skipped = [*self._skipped, span][-MOST_SPANS:]
        self._missing = _few(_outside(self._missing, span))


def _few(spans: list[Span]) -> list[Span]:
    """At most `MOST_SPANS` of these, which lie in order: where there are more, the closest become one."""
    while len(spans) > MOST_SPANS:
        at = min(range(len(spans) - 1), key=lambda at: spans[at + 1].first - spans[at].last)
        spans = [*spans[:at], Span(spans[at].first, spans[at + 1].last), *spans[at + 2 :]]
    return spans


def _outside(spans: list[Span], hole: Span) -> list[Span]:
    return list(chain.from_iterable(span.without(hole) for span in spans))
