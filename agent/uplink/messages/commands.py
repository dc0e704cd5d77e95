"""Commands, the unit's answers to them, and the audit of both."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from agent.uplink import topics
from agent.uplink.jsonable import jsonable, timestamp
from agent.uplink.messages.message import Document, Kind, Message, control_room_source, event, new_id, unit_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agent.clock import Moment
    from agent.config.settings import UnitSettings
    from agent.signals import Answer, CommandName


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
    command_id = new_id()
    data: Document = {"command": str(name), "args": dict(args or {}), "operatorRef": operator_ref, "reason": reason}
    document = event(command_id, control_room_source(unit.org, client), f"cmd.{name}", at, data) | {
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
    document = event(new_id(), unit_source(unit), "cmd.result", now.wall, data)
    if command_id is not None:
        document["causationid"] = command_id
    return Message(Kind.RESPONSE, to, document, expiry_s=topics.RESPONSE_EXPIRY_S, correlation_data=correlation_data)


def audit(unit: UnitSettings, record: Mapping[str, Any], at: datetime) -> Message:
    """One record of the unit's audit, as it is kept; the same record is the same message however often it is sent."""
    document = event(f"{record['chain']}-{record['number']}", unit_source(unit), "unit.audit", at, dict(record))
    topic = topics.UnitTopics(unit.org, unit.id).audit
    return Message(Kind.AUDIT, topic, document, expiry_s=topics.AUDIT_EXPIRY_S)
