"""Alerts, how they stand, and the control room's word on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from agent.uplink import topics
from agent.uplink.jsonable import jsonable, timestamp
from agent.uplink.messages.message import Kind, Message, control_room_source, event, new_id, unit_source
from agent.uplink.publication import Publication

if TYPE_CHECKING:
    from datetime import datetime

    from agent.clock import Moment
    from agent.config.settings import Config, UnitSettings
    from agent.signals import AckLevel, Outcome, Tell

SEQUENCE_DIGITS: Final = 20
"""Zero-padded, so that text order is number order for every 64-bit number."""
CLOSED: Final = "closed"
"""The state of an alert that needs nobody any more."""


def alert(  # noqa: PLR0913 - an alert says this much
    config: Config,
    tell: Tell,
    *,
    sequence: int,
    recorded: Moment,
    attempt: int,
    late: bool,
    path: str = "primary",
    copy_lives_s: int | None = None,
) -> Message:
    """One revision of an alert.

    Its id is made of alert and revision alone, so it is the same message however often and from whichever life of
    the unit it is sent.

    Args:
        config: Where the unit stands and what it has.
        tell: What the incident has to say.
        sequence: The unit's durable number of this revision.
        recorded: When the unit decided to say it.
        attempt: How often it was sent, this time included.
        late: It could not be sent when the unit had it to say.
        path: Which path carries it.
        copy_lives_s: This is a repetition, and a broker need not keep it for longer than that for whoever is away.
    """
    unit = config.unit
    data = jsonable(tell.data) | {
        "alertId": tell.alert_id,
        "revision": tell.revision,
        "category": str(tell.category),
        "site": {
            "unitId": unit.id,
            "name": unit.name,
            "plainLocation": unit.location,
            "lat": unit.latitude,
            "lon": unit.longitude,
            "timezone": unit.timezone,
        },
        "camera": (
            {"name": config.camera.name, "bearingDeg": config.camera.bearing_deg} if config.camera.enabled else None
        ),
        "path": {"used": path, "attempt": attempt, "late": late},
        "clock": {
            "quality": str(tell.at.quality),
            "bootId": tell.at.boot_id,
            "monotonicS": round(tell.at.monotonic_s, 3),
        },
    }
    document = event(
        f"{tell.alert_id}-r{tell.revision}", unit_source(unit), f"alert.{tell.category}", tell.at.wall, data
    ) | {
        "recordedtime": timestamp(recorded.wall),
        "sequence": f"{sequence:0{SEQUENCE_DIGITS}d}",
        "correlationid": tell.alert_id,
    }
    return Message(
        Kind.ALERT,
        topics.UnitTopics(unit.org, unit.id).alert(tell.category),
        document,
        expiry_s=topics.alert_expiry_s(tell.category) if copy_lives_s is None else copy_lives_s,
    )


def standing(unit: UnitSettings, alert: Message) -> Publication:
    """How an alert stands with this revision, kept by the broker for consoles that come later."""
    topic = topics.UnitTopics(unit.org, unit.id).incident(alert.document["data"]["alertId"])
    return replace(alert, topic=topic, retain=True, expiry_s=topics.INCIDENT_EXPIRY_S).publication()


def cleared(unit: UnitSettings, alert_id: str) -> Publication:
    """An alert is closed: nothing of it stands any more."""
    return Publication(topics.UnitTopics(unit.org, unit.id).incident(alert_id), b"", retain=True)


def acknowledgement(  # noqa: PLR0913 - what the control room can say about an alert
    unit: topics.UnitTopics,
    client: str,
    at: datetime,
    *,
    alert_id: str,
    revision: int,
    level: AckLevel,
    operator_ref: str | None = None,
    outcome: Outcome | None = None,
    note: str | None = None,
) -> Message:
    """The control room's word on an alert. Level `receiver` is about this revision, the others about the alert.

    Args:
        unit: Whose alert it is.
        client: Which console speaks.
        at: When.
        alert_id: The alert.
        revision: What the receiver has, or the operator saw.
        level: Machine, person, or end.
        operator_ref: Which person.
        outcome: How it ended; `closed` needs one.
        note: Why it was false or what the test was, in the operator's words.
    """
    data = {
        "alertId": alert_id,
        "revision": revision,
        "level": str(level),
        "operatorRef": operator_ref,
        "outcome": None if outcome is None else str(outcome),
        "note": note,
    }
    document = event(new_id(), control_room_source(unit.org, client), "alert.ack", at, data) | {
        "correlationid": alert_id,
        "causationid": f"{alert_id}-r{revision}",
    }
    return Message(Kind.ACK, unit.ack, document, expiry_s=topics.ACK_EXPIRY_S)
