"""What the doctor says: one thing that is wrong, how much it matters, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Weight(IntEnum):
    """How much it matters to somebody who needs help; the smaller, the worse."""

    DOWN = 1
    """The unit does not run at all."""
    NO_CALL = 2
    """Calls for help do not get through, or cannot be made."""
    PART_LOST = 3
    """A part of the unit does not work."""
    EXPOSED = 4
    """Somebody could get in who should not."""
    SOON = 5
    """It works now, and will not for long."""
    UNSURE = 6
    """Good to know, or it could not be looked at."""

    @property
    def words(self) -> str:
        """As a heading."""
        return _WORDS[self]


_WORDS = {
    Weight.DOWN: "The unit does not run",
    Weight.NO_CALL: "Calls for help do not get through",
    Weight.PART_LOST: "A part of the unit does not work",
    Weight.EXPOSED: "Somebody could get in who should not",
    Weight.SOON: "It works now, but not for long",
    Weight.UNSURE: "Good to know",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    weight: Weight
    what: str
    """What is wrong, in whole sentences."""
    fix: str
    """What to do about it, in plain English, with the command where there is one."""
    kind: str = ""
    """Which file of `agent.doctor.kinds` found it; filled in by `findings`."""
