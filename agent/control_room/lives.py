"""What it means that a unit speaks as another life than before: a restart, or another machine under its name. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

EARLIER_KEPT: Final = 8
"""Lives remembered of a unit: two or three machines that take turns are told from each other."""
STRAGGLES_S: Final = 10.0
"""What an earlier life said may come so much later than the next life's first word, over another path. An earlier life
that still speaks after that has not ended."""


@dataclass(frozen=True)
class LifeSeen:
    """A unit's word on which life it is (`agent.life`)."""

    boot_id: str
    started_s: float | None = None
    installation: str | None = None
    number: int | None = None
    board: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The life that a status or heartbeat speaks of; an old unit tells its boot only."""
        life: Mapping[str, Any] = data.get("life") or {}
        return cls(
            data["bootId"], life.get("startedS"), life.get("installation"), life.get("number"), life.get("board")
        )

    def is_same(self, other: LifeSeen) -> bool:
        """Whether both are one run of one program."""
        return (self.boot_id, self.started_s) == (other.boot_id, other.started_s)


class Turn(StrEnum):
    """What another life means."""

    RESTARTED = "restarted"
    """The same unit began anew."""
    REPLACED = "replaced"
    """Another machine, or another installation, has its name."""
    RIVALS = "rivals"
    """Two machines have its name at the same time."""


class Lives:
    """The lives of one unit, as they were heard of."""

    def __init__(self) -> None:
        self.present: LifeSeen | None = None
        """The last one that began."""
        self._began_s = 0.0
        self._earlier: list[LifeSeen] = []

    def is_past(self, life: LifeSeen) -> bool:
        """Whether another life has begun since this one."""
        return any(life.is_same(earlier) for earlier in self._earlier)

    def heard(self, life: LifeSeen, now_s: float) -> tuple[Turn, str] | None:
        """A life spoke.

        Args:
            life: Which.
            now_s: When, on the monotonic clock.

        Returns:
            What it means and the sentence that says it, when it is another one than before.
        """
        before = self.present
        if before is None or life.is_same(before):
            if before is None:
                self._began_s = now_s
            self.present = life
            return None
        if past := self.is_past(life):
            if now_s - self._began_s < STRAGGLES_S:
                return None
            self._earlier = [earlier for earlier in self._earlier if not life.is_same(earlier)]
        self._earlier = [*self._earlier, before][-EARLIER_KEPT:]
        self.present, self._began_s = life, now_s
        return (Turn.RIVALS, _rivals(before, life)) if past else _meaning(before, life)


def _meaning(before: LifeSeen, life: LifeSeen) -> tuple[Turn, str]:
    """What a life that was never heard before means after another one."""
    if _differ(before.board, life.board):
        storage = "" if _differ(before.installation, life.installation) else " with the storage of the one before"
        return Turn.REPLACED, f"another board ({life.board}) answers for it{storage}"
    if _differ(before.installation, life.installation):
        where = "on the same board" if life.board and life.board == before.board else "perhaps on another machine"
        return Turn.REPLACED, f"another installation ({life.installation}) answers for it, {where}"
    if before.number is not None and life.number is not None:
        missed = life.number - before.number - 1
        if missed < 0:
            return (
                Turn.REPLACED,
                f"a copy of its storage answers for it: start {life.number} came after start {before.number}",
            )
        unseen = f"; {missed} starts in between were not seen" if missed else ""
        count = f" (start {life.number}{unseen})"
    else:
        count = ""
    if life.boot_id == before.boot_id:
        return Turn.RESTARTED, f"its program began anew{count}"
    return Turn.RESTARTED, f"its machine was started anew{count}"


def _rivals(one: LifeSeen, other: LifeSeen) -> str:
    """Two machines by what tells them apart."""
    if _differ(one.board, other.board):
        return f"TWO machines take turns under its name: boards {one.board} and {other.board}"
    if _differ(one.installation, other.installation):
        return f"TWO machines take turns under its name: installations {one.installation} and {other.installation}"
    return "TWO machines take turns under its name: one is a copy of the other"


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
