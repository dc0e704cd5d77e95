"""A unit as the desk sees it: is it there, is it well, did everything it said come?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from agent.control_room.sequence import SequenceWatch, Span

if TYPE_CHECKING:
    from agent.control_room.happenings import UnitKey

QUIET_AFTER_S = 90.0
"""No heartbeat for this long is told (standards.md goal 4). The broker's own verdict, `lost`, comes at 37.5 s."""
GAP_SETTLES_S = 30.0
"""A gap must last this long to be told: longer than the 25 s between heartbeats, so that the unit has said in between
whether it still holds the missing ones. A help call overtakes the outbox; a lost number stays lost."""


class UnitState(StrEnum):
    """Whether a unit is there. `lost` and `quiet` are different on purpose: the one means cable, the other program."""

    ONLINE = "online"
    RESTARTED = "restarted"
    """It began anew and has not sent a heartbeat since."""
    QUIET = "quiet"
    """The broker holds its connection, but no heartbeat comes."""
    LOST = "lost"
    """The broker says that the connection died."""
    STOPPED = "stopped"
    """It said good-bye: somebody stopped it in order."""


ALIVE = frozenset({UnitState.ONLINE, UnitState.RESTARTED})
"""It speaks; only from here can it fall quiet."""


@dataclass
class Unit:
    """What is known of one unit."""

    key: UnitKey
    state: UnitState | None = None
    """None until it or the broker said anything about it. Changed by `become` alone."""
    boot_id: str | None = None
    lost_paths: set[str] = field(default_factory=set)
    """Those of its paths that died and were not born again."""
    last_heard_s: float = 0.0
    """When anything of it last came that proves it lives, on the monotonic clock."""
    heartbeat: Mapping[str, Any] = field(default_factory=dict)
    """The data of the last heartbeat."""
    sequence: SequenceWatch = field(default_factory=SequenceWatch)
    told_missing: tuple[Span, ...] = ()
    """The gaps that were already told."""
    gap_since_s: float = 0.0
    """Since when the present gaps stand, on the monotonic clock."""

    def become(self, state: UnitState) -> bool:
        """Take this state; whether that changed anything.

        Raises:
            ValueError: a unit that is known to be gone cannot fall quiet.
        """
        if state is self.state:
            return False
        if state is UnitState.QUIET and self.state not in ALIVE:
            msg = f"{self.key} cannot fall quiet: it is {self.state or 'unknown'}"
            raise ValueError(msg)
        self.state = state
        return True

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults of the last heartbeat, in words."""
        return tuple(_fault_words(fault) for fault in self.heartbeat.get("faults", ()))

    @property
    def undelivered(self) -> int:
        """Alert revisions that the unit still held at its last heartbeat."""
        outbox: Mapping[str, int] = self.heartbeat.get("outbox") or {}
        return outbox.get("pending", 0)

    @property
    def armed(self) -> str | None:
        """`set` or `unset`, as the last heartbeat said."""
        return self.heartbeat.get("arm")


def _fault_words(fault: object) -> str:
    if isinstance(fault, Mapping):
        return " ".join(str(fault[name]) for name in ("part", "code") if name in fault)
    return str(fault)
