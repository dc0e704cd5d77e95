"""One revision of an alert on its way to the control room."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from agent.clock import ClockQuality, Moment
from agent.signals import Category, Tell
from agent.uplink.jsonable import jsonable

PRIORITY: Final = {
    Category.HELP: 0,
    Category.INTRUDER: 1,
    Category.TAMPER: 2,
    Category.FAULT: 2,
    Category.NOISE: 3,
    Category.TEST: 3,
}
"""What goes first when much waits, and last when something must be dropped."""

_GROUPS: Final = {"active": 0, "ended": 1, "closed": 2}

Key = tuple[str, int]
"""Alert id and revision."""


@dataclass
class Entry:
    """What the outbox holds of one revision."""

    tell: Tell
    """Its data are plain JSON values."""
    sequence: int
    """The unit's durable number of it."""
    recorded: Moment
    attempts: int = 0
    """How often it was handed to the link."""
    late: bool = False
    """It was handed over too long after the unit had it to say."""
    stored: bool = False
    """It is on the disk."""
    settled: bool = False
    """It is on the disk, or the disk cannot take it: nothing to wait for any more."""
    stands: str = "active"
    """The state that the newest waiting revision of its alert tells."""

    @property
    def key(self) -> Key:
        """Which revision of which alert."""
        return self.tell.alert_id, self.tell.revision

    @property
    def priority(self) -> int:
        """The lower, the more important."""
        return PRIORITY[self.tell.category]

    @property
    def over(self) -> bool:
        """Whether its alert is over: nobody calls any more."""
        return self.stands != "active"

    @property
    def turn(self) -> tuple[int, ...]:
        """What is lower goes first.

        Of the help calls those that go on, the newest first: whoever pressed just now still stands there. Then those
        that ended unheard, the newest of them first as well; and last what has its outcome. Of those that are over,
        what was sent less often goes before the repetitions of others, or calls that nobody answers would keep the
        rest from ever being sent. Of anything else the older first.
        """
        if self.tell.category is not Category.HELP:
            return self.priority, self.sequence
        group = _GROUPS.get(self.stands, 0)
        if not self.over:
            return self.priority, group, -self.sequence
        return self.priority, group, self.attempts, self.sequence if self.stands == "closed" else -self.sequence

    def age_s(self, now: Moment) -> float:
        """How long ago what it tells happened; by the wall clock when that was in another boot."""
        at = self.tell.at
        if at.boot_id == now.boot_id:
            return max(0.0, now.monotonic_s - at.monotonic_s)
        return max(0.0, (now.wall - at.wall).total_seconds())

    def would_be_late(self, now: Moment, after_s: float) -> bool:
        """Whether it leaves long after the unit had it to say. What a detector takes to be sure is not our delay."""
        # Of what was recorded in another boot only that much is certain: it waited for a whole power-up.
        waited_s = now.monotonic_s - self.recorded.monotonic_s
        return self.late or self.recorded.boot_id != now.boot_id or waited_s > after_s


def made_plain(tell: Tell) -> Tell:
    """The tell with data that JSON can carry, for certain."""
    return replace(tell, data=jsonable(tell.data))


def dump_tell(tell: Tell) -> str:
    """The tell as text; its data must be plain."""
    return json.dumps(
        {
            "alertId": tell.alert_id,
            "revision": tell.revision,
            "category": tell.category.value,
            "at": _moment_values(tell.at),
            "data": tell.data,
            "urgent": tell.urgent,
        }
    )


def load_tell(text: str) -> Tell:
    """The tell of a text.

    Raises:
        ValueError: it is none.
    """
    try:
        values = json.loads(text)
        return Tell(
            alert_id=values["alertId"],
            revision=values["revision"],
            category=Category(values["category"]),
            at=_moment(values["at"]),
            data=values["data"],
            urgent=values["urgent"],
        )
    except (KeyError, TypeError) as error:
        msg = f"a stored alert lacks {error}"
        raise ValueError(msg) from error


def dump_moment(moment: Moment) -> str:
    """The moment as text."""
    return json.dumps(_moment_values(moment))


def load_moment(text: str) -> Moment:
    """The moment of a text.

    Raises:
        ValueError: it is none.
    """
    try:
        return _moment(json.loads(text))
    except (KeyError, TypeError) as error:
        msg = f"a stored moment lacks {error}"
        raise ValueError(msg) from error


def _moment_values(moment: Moment) -> list[Any]:
    return [moment.monotonic_s, moment.wall.isoformat(), moment.boot_id, moment.quality.value]


def _moment(values: list[Any]) -> Moment:
    monotonic_s, wall, boot_id, quality = values
    return Moment(float(monotonic_s), datetime.fromisoformat(wall), boot_id, ClockQuality(quality))
