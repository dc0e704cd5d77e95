"""What an incident may be waiting for, and how a wait survives a restart."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.clock import Moment


class Deadline(StrEnum):
    """What happens to an incident when its time has come. An incident waits for each of these at most once."""

    HOLD = "hold"
    """A button is still held down: from here on it is a silent call."""
    NO_CONNECTION = "no-connection"
    """Nothing was received: the person is told to phone."""
    GROW = "grow"
    """A mere count may be told again."""
    CLIP = "clip"
    """All footage of the event lies on the disk."""
    END = "end"
    """The post-event time has passed without another trigger."""
    OPERATOR_LATE = "operator-late"
    ESCALATE = "escalate"
    LIGHT = "light"
    """The lamp stops showing an ended help call."""
    PROOF = "proof"
    """A fault that was remembered over a restart should have been reported again by now."""
    FORGET = "forget"


def carried_over(deadline: Moment, saved: Moment, now: Moment) -> Moment:
    """The same deadline in this boot.

    Within one boot it stands. Monotonic time of another boot means nothing here, so what was left when the state was
    saved is reduced by the wall time that has passed since. A board without a battery clock may wake up in the past;
    the wait then starts again where it was saved, and is never longer.

    Args:
        deadline: As it was remembered.
        saved: When it was remembered, in the same boot as `deadline`.
        now: The present moment.
    """
    if deadline.boot_id == now.boot_id:
        return deadline
    left_s = deadline.monotonic_s - saved.monotonic_s
    passed_s = max(0.0, (now.wall - saved.wall).total_seconds())
    return now.later(max(0.0, left_s - passed_s))
