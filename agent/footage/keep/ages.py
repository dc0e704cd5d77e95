"""How old footage is, on a unit whose wall clock may be wrong, late or set. Pure.

Deleting too early cannot be undone, so footage is only as old as is certain:

* In the present boot age is measured on the monotonic clock, whatever the wall clock says.
* Of another boot the time is known when some segment of it was written with a synchronised clock: that fixes all of its
  monotonic times, those before the synchronisation too. It counts only when the present clock is known as well.
* Footage whose own time is not known (never synchronised, or recorded "in the future") is as old as the first footage
  of known time that was recorded after it: at least this old, whenever it was.
* Nothing is older than what was recorded before it. A clock that was synchronised and behind is found out by this;
  where nothing older is left, it is believed.
* A clock that went ahead by more than a week since the last footage is either right, and the unit was off for so long,
  or wrong, as after a bad time server or the roll-over of a GPS receiver. Nobody can tell the two apart at once, so
  such a jump counts for nothing until footage was recorded for a day with it. Meanwhile it is told to people, who can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.footage.store.segments import boot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.clock import Moment

JUMP_S = 7 * 86_400.0
"""Time without footage that is believed at once. Units are switched off for a weekend or a holiday; wrong clocks are
wrong by years. What is wrongly believed costs at most so many days of the oldest footage."""
BELIEVED_AFTER_S = 86_400.0
"""Footage recorded after a longer jump until it is believed: somebody is at work within a day to read of it."""
TOLERANCE_S = 60.0
"""Footage may seem to be of the future by this much: clocks are corrected by seconds all the time."""


@dataclass(frozen=True)
class BootSpan:
    """What is known of one boot's footage from the names of its segments."""

    boot: str
    start_s: float
    end_s: float
    """Its first and last frame, on that boot's monotonic clock."""
    synced_from_s: float | None = None
    """The first segment that was written with a synchronised clock, None: none was."""
    offset_min_s: float = 0.0
    offset_max_s: float = 0.0
    """Wall time (Unix) less monotonic time, by those segments: two values when a synchronised clock was set."""

    @property
    def length_s(self) -> float:
        """How long it was recorded for, or a little less."""
        return self.end_s - self.start_s


class Ages:
    """The ages of footage at one present moment."""

    def __init__(self, spans: Sequence[BootSpan], now: Moment) -> None:
        """Take the boots in the order of their recording; where the present one stands does not matter."""
        present = _present(spans, now)
        self._spans = [*(span for span in spans if span.boot != present.boot), present]
        self._place = {span.boot: place for place, span in enumerate(self._spans)}
        self._zero = self._zeros(now)
        self.jump_s = self._discount_jumps(now)
        """By how much the clock went ahead and is not believed yet; 0: it is believed."""

    def of(self, boot: str, at_s: float) -> float:
        """The age in seconds, at least, of what was filmed at this reading of that boot's monotonic clock."""
        place = self._place.get(boot)
        if place is None:  # nothing of that boot is left: older than all there is
            return self._own_or_next(0, self._spans[0].start_s)
        earlier = zip(self._spans[:place], self._zero[:place], strict=True)
        before = (zero - span.end_s for span, zero in earlier if zero is not None)
        return max(0.0, min([self._own_or_next(place, at_s), *before]))

    def place(self, boot: str, at_s: float) -> tuple[int, float]:
        """What sorts footage in the order of its recording."""
        return self._place.get(boot, -1), at_s

    def _own_or_next(self, place: int, at_s: float) -> float:
        own = self._zero[place]
        if own is not None:
            return own - at_s
        later = ((self._zero[n], self._spans[n]) for n in range(place + 1, len(self._spans)))
        return next(zero - span.start_s for zero, span in later if zero is not None)

    def _zeros(self, now: Moment) -> list[float | None]:
        """For each boot the age of its monotonic zero, where it is known; of the present one it always is."""
        *others, present = self._spans
        zeros: list[float | None] = []
        for span in others:
            known = present.synced_from_s is not None and span.synced_from_s is not None
            # The least that the present can be and the most that the past can have been, if a clock was set.
            zero = now.monotonic_s + present.offset_min_s - span.offset_max_s if known else None
            zeros.append(zero if zero is not None and zero - span.end_s >= -TOLERANCE_S else None)
        return [*zeros, now.monotonic_s]

    def _discount_jumps(self, now: Moment) -> float:
        """Take back from the ages what is not believed yet; returns how much that is."""
        discount_s, recorded_s, unknown_s = 0.0, 0.0, 0.0
        after: BootSpan | None = None
        after_zero = 0.0
        for place in range(len(self._spans) - 1, -1, -1):
            span, zero = self._spans[place], self._zero[place]
            if zero is None:
                unknown_s += span.length_s
                continue
            if after is not None:
                off_s = (zero - span.end_s) - (after_zero - after.start_s) - unknown_s
                discount_s += off_s if off_s > JUMP_S and recorded_s < BELIEVED_AFTER_S else 0.0
            self._zero[place] = zero - discount_s
            end_s = now.monotonic_s if place == len(self._spans) - 1 else span.end_s
            recorded_s += end_s - span.synced_from_s if span.synced_from_s is not None else 0.0
            after, after_zero, unknown_s = span, zero, 0.0
        return discount_s


def _present(spans: Sequence[BootSpan], now: Moment) -> BootSpan:
    """The present boot, up to this moment."""
    at_s, boot = now.monotonic_s, boot_of(now)
    recorded = next((span for span in spans if span.boot == boot), BootSpan(boot, at_s, at_s))
    start_s, synced_from_s, offset_s = recorded.start_s, recorded.synced_from_s, recorded.offset_min_s
    if now.quality is ClockQuality.SYNCED:
        present_s = now.wall.timestamp() - at_s
        offset_s = present_s if synced_from_s is None else min(offset_s, present_s)
        synced_from_s = at_s if synced_from_s is None else synced_from_s
    return BootSpan(boot, start_s, at_s, synced_from_s, offset_s, offset_s)
