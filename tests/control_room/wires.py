"""Messages as they come to a desk, and the desk's moments: short to write in a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent.clock import ClockQuality, Moment
from agent.control_room.happenings import UnitKey
from agent.signals import AckLevel, Outcome
from agent.uplink import messages
from agent.uplink.jsonable import timestamp
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.life import Life

COLUMN = UnitKey("ashfield", "hk-001")
SHOP = UnitKey("ashfield", "shop-7")
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
Document = messages.Document


def after(seconds: float) -> Moment:
    """The control room's moment so many seconds after midnight."""
    return Moment(5_000 + seconds, MIDNIGHT + timedelta(seconds=seconds), "room", ClockQuality.SYNCED)


def alert(  # noqa: PLR0913 - what a story may want to say of it
    revision: int = 1,
    *,
    alert_id: str = "A1",
    at_s: float = 0.0,
    sequence: int | None = None,
    late: bool = False,
    unit: UnitKey = COLUMN,
    category: str = "help",
    **data: Any,  # noqa: ANN401 - JSON
) -> Document:
    """A revision of an alert; further arguments are members of its data."""
    at = timestamp(MIDNIGHT + timedelta(seconds=at_s))
    document: Document = {
        "specversion": "1.0",
        "id": f"{alert_id}-r{revision}",
        "source": f"/safepoint/{unit.org}/units/{unit.unit}",
        "type": f"org.safepoint.alert.{category}.v1",
        "time": at,
        "recordedtime": at,
        "datacontenttype": "application/json",
        "sequence": f"{sequence or revision:020}",
        "correlationid": alert_id,
        "data": {
            "alertId": alert_id,
            "revision": revision,
            "category": category,
            "state": "active",
            "test": False,
            "severity": "Severe",
            "urgency": "Immediate",
            "certainty": "Observed",
            "headline": f"Help call on Central Walk (r{revision})",
            "detections": [],
            "site": {"unitId": unit.unit, "name": "HK-001", "plainLocation": "by the clock", "lat": None, "lon": None},
            "camera": None,
            "path": {"used": "primary", "attempt": 1, "late": late},
            "clock": {"quality": "synced", "bootId": "b", "monotonicS": 1.0},
        }
        | data,
    }
    check(messages.Kind.ALERT, document)
    return document


def heartbeat(  # noqa: PLR0913 - each is what one test looks at
    boot_id: str = "boot-1",
    *,
    faults: tuple[str, ...] = (),
    pending: int = 0,
    last: int = 0,
    life: Life | None = None,
    update: Mapping[str, object] | None = None,
) -> Document:
    """A heartbeat with the members that the desk looks at."""
    return {
        "data": _of_life(life, boot_id)
        | {
            "arm": "set",
            **({} if update is None else {"update": update}),
            "faults": [{"part": fault, "code": "dead"} for fault in faults],
            "outbox": {"pending": pending, "oldestAgeS": 0, "capacity": 1000}
            | ({"lastSequence": last} if last else {}),
        }
    }


def status(
    state: str,
    boot_id: str = "boot-1",
    skipped: tuple[tuple[int, int], ...] = (),
    *,
    last: int | None = None,
    life: Life | None = None,
) -> Document:
    """A birth, good-bye or will."""
    numbered = {} if last is None else {"lastSequence": last}
    data = {"state": state, "skipped": [list(span) for span in skipped]} | numbered
    return {"data": data | _of_life(life, boot_id)}


def _of_life(life: Life | None, boot_id: str) -> Document:
    return {"bootId": boot_id} if life is None else {"bootId": life.boot_id, "life": life.facts()}


def ack(
    level: AckLevel, revision: int = 1, *, at_s: float = 1.0, alert_id: str = "A1", outcome: Outcome | None = None
) -> Document:
    """A console's word on an alert."""
    return messages.acknowledgement(
        UnitTopics(COLUMN.org, COLUMN.unit),
        "console-9",
        MIDNIGHT + timedelta(seconds=at_s),
        alert_id=alert_id,
        revision=revision,
        level=level,
        operator_ref=None if level is AckLevel.RECEIVER else "op-9",
        outcome=outcome,
    ).document
