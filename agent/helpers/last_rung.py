"""When the unit may ask for a restart of its whole machine, because no footage reaches the disk. Pure.

A restart takes help calls, voice and lamp away for about a minute, so it is asked for only when nothing less helped,
when it can help at all, when nobody needs the unit now, and seldom.

How seldom is counted by boots and by how long each of them ran, never by the wall clock: a unit without a battery
clock may believe any date after any power-up. What ran for an hour is an hour ago at least, whatever the clock says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.helpers.ladder import OUTSIDE

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.helpers.ladder import Standing

NO_FRAMES_FOR_S = 600.0
"""By then the camera was opened anew about a hundred times and about seven processes have tried (a minute of trouble
and half a minute of waiting each): more of the same is of no use. Ten minutes without footage are worse than the
minute in which the machine restarts; a shorter time would not leave a slow disk its own repair."""
UNKILLABLE_FOR_S = 180.0
"""The kernel itself calls a task hung after 120 s without waking; what is stuck for longer never came back in the
reports (picamera2#1275, #1392), and its camera is not free for any successor."""
EVERY_S = 6 * 3600.0
"""No sooner after the last one: a fault that comes back at once is not mended by this."""
DAY_S = 24 * 3600.0
A_DAY = 2
IN_VAIN = 2
"""So many in a row that brought no footage back are enough: the camera is broken or unplugged. Footage that reaches
the disk begins the count anew."""
CALLS_PUT_IT_OFF_FOR_S = 4 * 3600.0
"""A call or intrusion that is still going on is never left alone. One whose event is over and that no operator closed
for four hours was forgotten; it outlives a restart, and each further hour of footage would be lost for good."""
ALERTS_PUT_IT_OFF_FOR_S = 1800.0
"""Alerts that wait on the disk outlive a restart, and a link may be down for weeks: half an hour is for their way out.
Alerts that only memory holds are never given up."""


class Call(StrEnum):
    """How the worst help call or intrusion stands."""

    NONE = "none"
    OVER = "over"
    """Its event is over; the control room has not closed it."""
    ACTIVE = "active"


@dataclass(frozen=True)
class Others:
    """What else the unit has to do."""

    call: Call = Call.NONE
    waiting: int = 0
    """Alert revisions that the control room does not have."""
    stored: bool = True
    """Whether they outlive a restart."""


@dataclass(frozen=True)
class Ask:
    """A restart that was asked for."""

    boot_id: str
    """In which boot."""
    uptime_s: float
    """How long that boot had run."""
    wall: str
    """What the wall clock said; for people only."""
    reason: str


@dataclass(frozen=True)
class History:
    """What earlier boots did; it outlives them in the state folder."""

    asks: tuple[Ask, ...] = ()
    """The newest last; older ones than the rules need are left out."""
    total: int = 0
    in_vain: int = 0
    """How many in a row brought no footage back so far."""

    def asked(self, ask: Ask) -> History:
        """One more."""
        return History((*self.asks, ask)[-A_DAY:], self.total + 1, self.in_vain + 1)

    def helped(self) -> History:
        """Footage reaches the disk again."""
        return replace(self, in_vain=0)

    @classmethod
    def unknown(cls) -> History:
        """One that cannot be read: as many as there may be were asked for, just before this boot."""
        return cls(tuple(Ask("unknown", 0.0, "", "unknown") for _ in range(A_DAY)))


@dataclass(frozen=True)
class Go:
    """A restart is to be asked for."""

    reason: str
    """Why, as a part of a sentence."""


class Stay(StrEnum):
    """Why no restart is asked for."""

    OFF = "off"
    """The configuration forbids it."""
    WORKS = "works"
    """Footage reaches the disk, or has not been missing for long enough."""
    NOT_TRIED = "not-tried"
    """The rungs below were not climbed."""
    OUTSIDE = "outside"
    """What is wrong cannot be mended by it."""
    IN_VAIN = "in-vain"
    """It was of no use the last times."""
    TOO_OFTEN = "too-often"
    CALL = "call"
    """A help call or an intrusion is open."""
    ALERTS = "alerts"
    """Alerts wait for the control room."""
    REFUSED = "refused"
    """It was asked for and did not come, or could not be asked for. Found out by asking, not by `verdict`."""


def verdict(standing: Standing, others: Others, history: History, now: Moment, *, allowed: bool) -> Go | Stay:
    """Whether a restart is to be asked for now."""
    reason, overdue_s = _reason(standing)
    waits_for_call = others.call is Call.OVER and overdue_s < CALLS_PUT_IT_OFF_FOR_S
    waits_for_alerts = not others.stored or overdue_s < ALERTS_PUT_IT_OFF_FOR_S
    against = (
        (not allowed, Stay.OFF),
        (overdue_s < 0, Stay.WORKS),
        (bool(standing.causes & OUTSIDE), Stay.OUTSIDE),
        (standing.unkillable_s is None and not standing.process, Stay.NOT_TRIED),
        (history.in_vain >= IN_VAIN, Stay.IN_VAIN),
        (is_too_often(history, now), Stay.TOO_OFTEN),
        (others.call is Call.ACTIVE or waits_for_call, Stay.CALL),
        (others.waiting > 0 and waits_for_alerts, Stay.ALERTS),
    )
    return next((stay for stands, stay in against if stands), Go(reason))


def is_too_often(history: History, now: Moment) -> bool:
    """Whether one more now would be too soon after the last, or too many within a day."""
    asks = history.asks
    if asks and at_least_ago_s(asks[-1:], now) < EVERY_S:
        return True
    return len(asks) >= A_DAY and at_least_ago_s(asks[-A_DAY:], now) < DAY_S


def at_least_ago_s(asks: tuple[Ask, ...], now: Moment) -> float:
    """How long ago the first of these was, at the least: the unit's own running time between them, up to now."""
    marks = [*((ask.boot_id, ask.uptime_s) for ask in asks), (now.boot_id, now.monotonic_s)]
    return sum(
        later_s - earlier_s if boot == later_boot else later_s
        for (boot, earlier_s), (later_boot, later_s) in pairwise(marks)
    )


def _reason(standing: Standing) -> tuple[str, float]:
    """Why the machine would be restarted, and for how long that has been due; negative: it is not."""
    silent_s = standing.silent_s
    tried = f"{standing.pipeline} restarts of the camera and {standing.process} of the recorder"
    hopeless_s = min(silent_s, standing.unkillable_s or 0.0) - UNKILLABLE_FOR_S
    if hopeless_s >= 0:
        reason = f"a recorder that cannot be killed holds the camera: no footage was stored for {silent_s:.0f} s"
        return reason, hopeless_s
    return f"no footage was stored for {silent_s:.0f} s in spite of {tried}", silent_s - NO_FRAMES_FOR_S
