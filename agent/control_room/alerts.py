"""An alert as the desk holds it: every revision that came, who acknowledged it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent.control_room.plain_text import plain
from agent.signals import AckLevel, Category, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.clock import Moment
    from agent.control_room.happenings import UnitKey


@dataclass(frozen=True)
class Arrival:
    """One revision of an alert, as it came."""

    revision: int
    document_id: str
    happened: datetime
    """The unit's own time of what the revision tells."""
    received: Moment
    """When it came here."""
    data: Mapping[str, Any]
    source: str = ""
    """Who says so; with the document's id nobody says the same twice."""


@dataclass(frozen=True)
class AckGiven:
    """What this control room, or another console of it, said about an alert."""

    level: AckLevel
    revision: int
    at: datetime
    operator_ref: str | None = None
    outcome: Outcome | None = None
    cause: str | None = None


@dataclass
class Alert:
    """One incident, as far as the control room knows it. The newest revision speaks; older ones are kept."""

    alert_id: str
    unit: UnitKey
    arrivals: list[Arrival] = field(default_factory=list)
    """In the order in which they came."""
    acks: list[AckGiven] = field(default_factory=list)
    duplicates: int = 0
    """Messages that came again and were not shown again."""
    closed_s: float | None = None
    """When the desk first knew it as closed, on the monotonic clock."""
    told_closed_in: int = 0
    """The highest revision that told it as closed; 0: none did."""

    @property
    def latest(self) -> Arrival:
        """The highest revision that came, whenever it came."""
        return max(self.arrivals, key=lambda arrival: arrival.revision)

    @property
    def first(self) -> Arrival:
        """The lowest revision that came: it tells when it all began."""
        return min(self.arrivals, key=lambda arrival: arrival.revision)

    @property
    def happened(self) -> datetime:
        """When it began, by the unit's clock."""
        opened = self.latest.data.get("opened")
        return self.first.happened if opened is None else datetime.fromisoformat(opened)

    @property
    def category(self) -> Category:
        """What it is about."""
        return Category(self.latest.data["category"])

    @property
    def headline(self) -> str:
        """The line that says where and what."""
        return plain(self.latest.data["headline"])

    @property
    def place(self) -> str:
        """Where to send somebody, in words."""
        return plain(self.latest.data["site"]["plainLocation"])

    @property
    def late(self) -> bool:
        """Whether the unit could not tell it when it happened. A later revision that was held up does not count."""
        return bool(self.first.data["path"]["late"])

    @property
    def test(self) -> bool:
        """Whether nobody has to go."""
        return bool(self.latest.data["test"]) or self.category is Category.TEST

    @property
    def silent(self) -> bool:
        """A duress call: nobody may call back or sound anything at the scene."""
        return bool(self.latest.data.get("silent", False))

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, by the operator's word or else the unit's."""
        for ack in reversed(self.acks):
            if ack.outcome is not None and self._counts(ack):
                return ack.outcome
        told = self.latest.data.get("outcome")
        return None if told is None else Outcome(told["code"])

    @property
    def closed(self) -> bool:
        """Whether it needs nobody any more."""
        return self.latest.data["state"] == "closed" or self._answered(AckLevel.CLOSED)

    @property
    def waiting(self) -> bool:
        """Whether no operator has seen it yet, with all who called since."""
        return not self.closed and not self._answered(AckLevel.OPERATOR)

    @property
    def outgrown(self) -> bool:
        """Whether it needs somebody again: more came to it than whoever saw or closed it knew of."""
        return self.waiting and (self.acked(AckLevel.OPERATOR) or self.acked(AckLevel.CLOSED))

    @property
    def escalated(self) -> bool:
        """Whether the unit itself says that nobody has seen it for far too long."""
        return self._told_of_operator("escalated")

    @property
    def overdue(self) -> bool:
        """Whether the unit itself says that nobody has seen it in time."""
        return self._told_of_operator("late")

    def knows(self, level: AckLevel) -> bool:
        """Whether the unit shows that an operator's word of this level reached it: by its own newest revision.

        A closing that does not count any more, because news came after it, is to the unit that somebody looked.
        """
        if self.latest.data["state"] == "closed":
            return True
        if level is AckLevel.CLOSED and self.closed:
            return False
        return (self.latest.data.get("operator") or {}).get("ackedAt") is not None

    @property
    def untold(self) -> bool:
        """Whether an operator said something of it that the unit does not show to know yet."""
        levels = AckLevel.OPERATOR, AckLevel.CLOSED
        said = {ack.level for ack in self.acks if ack.revision > self.told_closed_in}
        return any(level in said and not self.knows(level) for level in levels)

    def acked(self, level: AckLevel) -> bool:
        """Whether an acknowledgement of this level was given."""
        return any(ack.level is level for ack in self.acks)

    @property
    def grown_in(self) -> int:
        """The revision that told of the last caller; of a unit that tells of none, everybody knew all.

        Or that told the alert as open after one that told it as closed: a unit that died within a moment of that has
        forgotten it, with everything said before, and tells of a call since then as one more of the same.
        """
        grown = int(self.latest.data.get("grownIn", 1))
        if not self.told_closed_in or self.latest.data["state"] == "closed":
            return grown
        return max(grown, min(each.revision for each in self.arrivals if each.revision > self.told_closed_in))

    def _counts(self, ack: AckGiven) -> bool:
        """Whether whoever said it knew of the last caller."""
        return ack.revision >= self.grown_in

    def _answered(self, level: AckLevel) -> bool:
        return any(ack.level is level and self._counts(ack) for ack in self.acks)

    def _told_of_operator(self, name: str) -> bool:
        return self.waiting and bool((self.latest.data.get("operator") or {}).get(name, False))

    def operators(self) -> tuple[str, ...]:
        """Who is looking, in the order in which they began."""
        return tuple(dict.fromkeys(plain(ack.operator_ref) for ack in self.acks if ack.operator_ref))

    def age(self, now: Moment) -> timedelta:
        """How long ago it happened.

        The time since it came is measured here on the monotonic clock; what lies before is the difference of two
        machines' wall clocks, and never counts below zero.
        """
        before = max(self.first.received.wall - self.happened, timedelta(0))
        return before + timedelta(seconds=now.monotonic_s - self.first.received.monotonic_s)
