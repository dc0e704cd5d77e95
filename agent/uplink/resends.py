"""When an alert that nobody acknowledged is sent again. Pure: time is an argument.

The first repetitions follow the configured waits (2, 5, 15, 60 s) for every alert. What happens after that depends on
whether the control room says anything at all:

* Of each help call the lowest revision goes on being repeated at the last wait, for ever.
* The rest rests. Ten thousand alerts repeated each minute would cost a mobile network's monthly volume within hours,
  and fill the queue that the broker keeps for a console that is away. One of them at a time goes as a probe, the one
  that rested longest, first after the last wait and then less and less often.
* The first acknowledgement of anything wakes all that rests: somebody is there again.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Final

from agent.uplink.backoff import about_s

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from agent.uplink.entry import Entry, Key

PROBE_AT_MOST_S: Final = 900.0
"""Between two probes, at most: as often as a path is proved (standards.md goal 5)."""
COPY_LIVES: Final = 2.0
"""A repetition lies in a broker's queue for so many times the wait until the next one, then it expires: a console that
is away finds the first copy and one or two others, however long it was away."""
COPY_LIVES_AT_LEAST_S: Final = 60.0
"""Long enough for every reconnection of a console that is there."""


class Resends:
    """Plans the repetitions. `after` is told of every sending, `due` says what is to go now."""

    def __init__(self, waits_s: Sequence[float], rng: random.Random, holds: Callable[[Entry], bool]) -> None:
        """Nothing planned yet.

        Args:
            waits_s: Between the first attempts.
            rng: Where the jitter comes from.
            holds: Whether an entry still has to be delivered.
        """
        self._waits_s = waits_s
        self._rng = rng
        self._holds = holds
        self._planned: list[tuple[float, int, int, Entry]] = []
        """A heap, by time, number and attempts so far: void when it was sent meanwhile."""
        self._resting: dict[Key, tuple[float, Entry]] = {}
        """Since when each rests; the longest comes first."""
        self._probe_s = math.inf
        self._probe_wait_s = waits_s[-1]

    def later(self, entry: Entry, at_s: float) -> None:
        """Send it then, if it was not sent meanwhile."""
        heapq.heappush(self._planned, (at_s, entry.sequence, entry.attempts, entry))

    def after(self, entry: Entry, now_s: float, *, first_of_help: bool, heard: bool) -> None:
        """It was sent and the broker answered: plan the next time.

        Args:
            entry: What was sent.
            now_s: The present moment.
            first_of_help: It is the lowest revision that waits of a help call.
            heard: Somebody subscribes to it, as far as the broker knows.
        """
        if entry.attempts <= len(self._waits_s) or first_of_help:
            self.later(entry, now_s + about_s(self._wait_s(entry.attempts), self._rng))
            return
        self._resting[entry.key] = (now_s, entry)
        if self._probe_s == math.inf or self._probe_s <= now_s:
            self._probe_s = now_s + about_s(self._probe_wait_s, self._rng)
            # Where nobody subscribes nothing piles up: there is no reason to ask less often.
            self._probe_wait_s = (
                min(2 * self._probe_wait_s, max(PROBE_AT_MOST_S, self._waits_s[-1])) if heard else self._waits_s[-1]
            )

    def due(self, now_s: float) -> list[Entry]:
        """What is to be sent now; it is not planned any more."""
        entries = []
        while self._planned and self._planned[0][0] <= now_s:
            _, _, attempts, entry = heapq.heappop(self._planned)
            if entry.attempts == attempts and self._holds(entry):
                entries.append(entry)
        if self._probe_s <= now_s:
            self._probe_s = math.inf
            if (probe := self._longest_resting()) is not None:
                entries.append(probe)
        return entries

    @property
    def next_s(self) -> float | None:
        """When something is due next; None: nothing is planned."""
        next_s = min(self._probe_s, self._planned[0][0] if self._planned else math.inf)
        return None if next_s == math.inf else next_s

    def answered(self, now_s: float) -> None:
        """The control room acknowledged something: what rests goes again, each not before its last wait is over."""
        resting, self._resting = self._resting, {}
        self._probe_s, self._probe_wait_s = math.inf, self._waits_s[-1]
        for since_s, entry in resting.values():
            self.later(entry, max(now_s, since_s + self._waits_s[-1]))

    def begin_anew(self, now_s: float) -> None:
        """Another connection: all that was planned goes now, by whoever knows the order; what rests is probed."""
        self._planned.clear()
        self._probe_s = now_s if self._resting else math.inf

    def rests(self, entry: Entry) -> bool:
        """Whether it was repeated in vain until its waits were used up, and nobody has said anything since."""
        return entry.key in self._resting

    def copy_lives_s(self, attempt: int) -> int | None:
        """How long the copy of this attempt may lie in a broker's queue; None: the first one, for as long as it can."""
        if attempt == 1:
            return None
        wait_s = self._wait_s(attempt) if attempt <= len(self._waits_s) else max(self._waits_s[-1], self._probe_wait_s)
        return math.ceil(max(COPY_LIVES_AT_LEAST_S, COPY_LIVES * wait_s))

    def _wait_s(self, attempts: int) -> float:
        return self._waits_s[min(attempts, len(self._waits_s)) - 1]

    def _longest_resting(self) -> Entry | None:
        while self._resting:
            key = next(iter(self._resting))
            _, entry = self._resting.pop(key)
            if self._holds(entry):
                return entry
        return None
