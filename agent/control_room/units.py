"""A unit as the desk sees it: is it there, is it well, did everything it said come?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from agent.control_room.lives import Lives, Turn
from agent.control_room.sequence import SequenceWatch, Span

if TYPE_CHECKING:
    from agent.control_room.happenings import UnitKey

QUIET_AFTER_S = 90.0
"""No heartbeat for this long is told (standards.md goal 4). The broker's own verdict, `lost`, comes at 37.5 s."""
GAP_SETTLES_S = 30.0
"""A gap must last this long to be told: longer than the 25 s between heartbeats, so that the unit has said in between
whether it still holds the missing ones. A help call overtakes the outbox; a lost number stays lost."""
SETTLES_S = 600.0
"""A machine that is alone under a unit's name for this long is the unit. Two that take turns do so within the half
minute in which each of them connects anew."""
REMARK_S = {Turn.RESTARTED: 600.0, Turn.REPLACED: 86_400.0, Turn.RIVALS: 86_400.0}
"""How long an operator sees beside a unit that it began anew, or that another machine answers for it."""


class UnitState(StrEnum):
    """Whether a unit is there. `lost` and `quiet` are different on purpose: the one means cable, the other program."""

    ONLINE = "online"
    RESTARTED = "restarted"
    """It began anew and has not sent a heartbeat since."""
    REPLACED = "replaced"
    """Another machine or installation has its name; it has not been alone under it for `SETTLES_S`."""
    QUIET = "quiet"
    """The broker holds its connection, but no heartbeat comes."""
    LOST = "lost"
    """The broker says that the connection died."""
    STOPPED = "stopped"
    """It said good-bye: somebody stopped it in order."""


ALIVE = frozenset({UnitState.ONLINE, UnitState.RESTARTED, UnitState.REPLACED})
"""It speaks; only from here can it fall quiet."""


@dataclass
class Unit:
    """What is known of one unit."""

    key: UnitKey
    state: UnitState | None = None
    """None until it or the broker said anything about it. Changed by `become` alone."""
    lost_paths: set[str] = field(default_factory=set)
    """Those of its paths that died and were not born again."""
    lives: Lives = field(default_factory=Lives)
    turn: Turn | None = None
    """What the last change of lives meant; None while there was none."""
    turn_words: str = ""
    """The same in words."""
    turned_s: float = 0.0
    """When it was, on the monotonic clock."""
    last_heard_s: float = 0.0
    """When anything of it last came that proves it lives, on the monotonic clock."""
    heartbeat: Mapping[str, Any] = field(default_factory=dict)
    """The data of the last heartbeat."""
    sequence: SequenceWatch = field(default_factory=SequenceWatch)
    revisions: int = 0
    """Of its alerts, that are on the desk."""
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

    def turned(self, turn: Turn, words: str, now_s: float) -> bool:
        """It speaks as another life than before; whether that is news."""
        if turn is Turn.RESTARTED and not self.is_settled(now_s):
            return True  # that another machine answers for it is what counts
        is_news = turn is not Turn.RIVALS or not self.has_rivals(now_s)
        self.turn, self.turn_words, self.turned_s = turn, words, now_s
        return is_news

    def has_rivals(self, now_s: float) -> bool:
        """Whether two machines take turns under its name."""
        return self.turn is Turn.RIVALS and now_s - self.turned_s < SETTLES_S

    def is_settled(self, now_s: float) -> bool:
        """Whether a machine that took its name has been alone under it for long enough to be the unit."""
        return self.turn in {None, Turn.RESTARTED} or now_s - self.turned_s >= SETTLES_S

    def remark(self, now_s: float) -> tuple[str, float] | None:
        """What an operator should know of its last change of lives, and how many seconds ago that was."""
        age_s = now_s - self.turned_s
        return (self.turn_words, age_s) if self.turn is not None and age_s < REMARK_S[self.turn] else None

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

    @property
    def update(self) -> str:
        """How its new versions fare, in words, as the last heartbeat said; empty: it said nothing."""
        update: Mapping[str, Any] = self.heartbeat.get("update") or {}
        said = []
        if (version := update.get("trial")) is not None:
            said.append(f"tries version {version}")
        if (waits := update.get("waits")) is not None:
            said.append(f"version {waits['version']} waits: {waits['why']}")
        if (last := update.get("last")) is not None:
            said.append(f"{last.get('version') or last['bundle']} {last['result'].replace('-', ' ')}: {last['text']}")
        return "; ".join(said)

    @property
    def update_pending(self) -> str | None:
        """What is not over: the version that waits or is tried; None: nothing is."""
        update: Mapping[str, Any] = self.heartbeat.get("update") or {}
        if (version := update.get("trial")) is not None:
            return f"tries {version}"
        return None if (waits := update.get("waits")) is None else f"{waits['version']} waits"


def _fault_words(fault: object) -> str:
    if isinstance(fault, Mapping):
        return " ".join(str(fault[name]) for name in ("part", "code") if name in fault)
    return str(fault)
