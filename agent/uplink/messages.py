"""Every message of the contract, built in one place: the unit and the control room use the same builders.

CloudEvents 1.0 in structured JSON. The schemas in `schemas/` and `asyncapi.yaml` say the same to everybody else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ulid import ULID

from agent.signals import Answer as Answer  # noqa: PLC0414, TC001 - a word of messages, so found here too
from agent.signals import CommandName as CommandName  # noqa: PLC0414, TC001
from agent.uplink import topics
from agent.uplink.jsonable import jsonable, timestamp
from agent.uplink.publication import Publication

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from agent.clock import Moment
    from agent.config.settings import Config, UnitSettings
    from agent.life import Life
    from agent.signals import AckLevel, Outcome, Tell

TYPE_PREFIX: Final = "org.safepoint"
"""Reverse DNS of nobody in particular: an operator who forks the contract changes it here."""
SEQUENCE_DIGITS: Final = 20
"""Zero-padded, so that text order is number order for every 64-bit number."""

CLOSED: Final = "closed"
"""The state of an alert that needs nobody any more."""

Document = dict[str, Any]


class Kind(StrEnum):
    """A message's schema."""

    ALERT = "alert"
    ACK = "ack"
    HEARTBEAT = "heartbeat"
    STATUS = "status"
    COMMAND = "command"
    RESPONSE = "response"
    STILL = "still"
    """Not JSON: its schema is of the message's properties (`agent.uplink.still`)."""
    AUDIT = "audit"


class State(StrEnum):
    """What a status message says about its unit."""

    ONLINE = "online"
    STOPPED = "stopped"
    """It says good-bye: somebody stops it in order."""
    LOST = "lost"
    """The broker says it: the last will."""


@dataclass(frozen=True)
class Message:
    """A built message: what it says, and how it goes out."""

    kind: Kind
    topic: str
    document: Document
    retain: bool = False
    expiry_s: int | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None

    def publication(self) -> Publication:
        """The message as the link takes it."""
        return Publication(
            topic=self.topic,
            payload=json.dumps(self.document, separators=(",", ":")).encode("ascii"),
            retain=self.retain,
            expiry_s=self.expiry_s,
            response_topic=self.response_topic,
            correlation_data=self.correlation_data,
        )


def unit_source(unit: UnitSettings) -> str:
    """The CloudEvents source of a unit."""
    return f"/safepoint/{unit.org}/units/{unit.id}"


def control_room_source(org: str, client: str) -> str:
    """The CloudEvents source of one console of a control room."""
    return f"/safepoint/{org}/control-room/{client}"


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
    document = _event(
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


def heartbeat(unit: UnitSettings, now: Moment, facts: Mapping[str, Any]) -> Message:
    """Proof of life.

    Args:
        unit: Who lives.
        now: The present moment.
        facts: The unit's health, by the names of the schema's `data`: at least `state`, `uptimeS`, `intervalS`, `sw`,
            `arm`, `faults` and `outbox`.
    """
    data = {
        "bootId": now.boot_id,
        "clock": {"quality": str(now.quality), "synced": now.quality == "synced"},
    } | jsonable(facts)
    document = _event(_new_id(), unit_source(unit), "unit.heartbeat", now.wall, data)
    topic = topics.UnitTopics(unit.org, unit.id).heartbeat
    return Message(Kind.HEARTBEAT, topic, document, retain=True, expiry_s=topics.HEARTBEAT_EXPIRY_S)


def status(  # noqa: PLR0913 - birth, good-bye and will are one message
    unit: UnitSettings,
    now: Moment,
    state: State,
    *,
    software: str,
    skipped: Sequence[tuple[int, int]] = (),
    reason: str | None = None,
    path: str | None = None,
    paths: Sequence[str] = (),
    life: Life | None = None,
    last_sequence: int | None = None,
) -> Message:
    """A unit's birth, good-bye or last will.

    Args:
        unit: Whose.
        now: The present moment; a will says when it was made, the broker tells nobody when it sent it.
        state: Which of the three.
        software: The unit's version.
        skipped: Spans of sequence numbers (first, last) that were given to nothing.
        reason: Why it stops, in words.
        path: Which of its paths was born or died, where it has several.
        paths: All of them; a unit is lost when the last one died.
        life: Which life of which installation says it.
        last_sequence: The number of the last alert revision, so that the loss of the newest shows at once.
    """
    data: Document = {
        "state": str(state),
        "bootId": now.boot_id,
        "sw": software,
        "skipped": [list(span) for span in skipped],
        "reason": reason,
    }
    if paths:
        data |= {"path": path, "paths": list(paths)}
    if life is not None:
        data["life"] = life.facts()
    if last_sequence is not None:
        data["lastSequence"] = last_sequence
    document = _event(_new_id(), unit_source(unit), "unit.status", now.wall, data)
    return Message(Kind.STATUS, topics.UnitTopics(unit.org, unit.id).status, document, retain=True)


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
    document = _event(_new_id(), control_room_source(unit.org, client), "alert.ack", at, data) | {
        "correlationid": alert_id,
        "causationid": f"{alert_id}-r{revision}",
    }
    return Message(Kind.ACK, unit.ack, document, expiry_s=topics.ACK_EXPIRY_S)


def command(  # noqa: PLR0913 - who wants what of whom, and why
    unit: topics.UnitTopics,
    client: str,
    at: datetime,
    name: CommandName,
    *,
    operator_ref: str,
    args: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> Message:
    """A command of the control room; the answer comes to this console's response topic.

    Args:
        unit: Who shall do it.
        client: Which console speaks: the common name of its certificate, else no broker takes it and no unit obeys.
        at: When; it expires `COMMAND_EXPIRY_S` later.
        name: What to do.
        operator_ref: Who wants it.
        args: How, as the command's own schema says.
        reason: Why, for the unit's records.
    """
    command_id = _new_id()
    data: Document = {"command": str(name), "args": dict(args or {}), "operatorRef": operator_ref, "reason": reason}
    document = _event(command_id, control_room_source(unit.org, client), f"cmd.{name}", at, data) | {
        "expirytime": timestamp(at + timedelta(seconds=topics.COMMAND_EXPIRY_S)),
    }
    return Message(
        Kind.COMMAND,
        unit.command(client, name),
        document,
        expiry_s=topics.COMMAND_EXPIRY_S,
        response_topic=unit.response(client),
        correlation_data=command_id.encode(),
    )


def response(  # noqa: PLR0913 - an answer names its question
    unit: UnitSettings,
    now: Moment,
    *,
    to: str,
    correlation_data: bytes | None,
    command_id: str | None,
    name: str | None,
    answer: Answer,
    code: str | None = None,
    detail: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> Message:
    """The unit's answer to a command.

    Args:
        unit: Who answers.
        now: When.
        to: The response topic.
        correlation_data: Given back as it came.
        command_id: The command's id, where it could be read.
        name: The command, where it could be read.
        answer: How the command stands.
        code: Why it was refused or failed, in a short stable word.
        detail: The same in a sentence, or a word on what was done.
        result: What came of it, for programs.
    """
    data: Document = {"command": name, "status": str(answer), "code": code, "detail": detail}
    if result:
        data["result"] = jsonable(result)
    document = _event(_new_id(), unit_source(unit), "cmd.result", now.wall, data)
    if command_id is not None:
        document["causationid"] = command_id
    return Message(Kind.RESPONSE, to, document, expiry_s=topics.RESPONSE_EXPIRY_S, correlation_data=correlation_data)


def audit(unit: UnitSettings, record: Mapping[str, Any], at: datetime) -> Message:
    """One record of the unit's audit, as it is kept; the same record is the same message however often it is sent."""
    document = _event(f"{record['chain']}-{record['number']}", unit_source(unit), "unit.audit", at, dict(record))
    topic = topics.UnitTopics(unit.org, unit.id).audit
    return Message(Kind.AUDIT, topic, document, expiry_s=topics.AUDIT_EXPIRY_S)


def _new_id() -> str:
    """An id that sorts by time."""
    return str(ULID())


def _event(event_id: str, source: str, what: str, at: datetime, data: Document) -> Document:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"{TYPE_PREFIX}.{what}.v1",
        "time": timestamp(at),
        "datacontenttype": "application/json",
        "data": data,
    }
