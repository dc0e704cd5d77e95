"""What the control room says to the unit: understood, or refused with a reason. Pure; nothing here raises.

Who may say it is the broker's business: only the control room's certificates may write these topics, and a console
only those commands whose topic has its own name. Whether it makes sense, is new, is in time and keeps to that name is
decided here.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from agent.clock import ClockQuality
from agent.signals import AckLevel, Acknowledged, Command, CommandName, Outcome, Why
from agent.uplink.messages import TYPE_PREFIX, Kind, control_room_source
from agent.uplink.topics import COMMAND_EXPIRY_S, UnitTopics
from agent.uplink.validation import MessageInvalid, parse

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import UnitSettings
    from agent.uplink.messages import Document
    from agent.uplink.publication import Received

MAX_PAYLOAD: Final = 16 * 1024
"""No acknowledgement or command comes near this."""
READ_BYTES: Final = 64 * 1024
"""What the broker is asked to let through, and it lets a little more: what comes and is larger than `MAX_PAYLOAD` is
refused with a reason, and audited."""
MAX_CORRELATION: Final = 256
"""Bytes of correlation data that are given back; a program needs a few, and an answer must not grow by a stranger's."""
MAX_SKEW_S: Final = 30.0
"""How far the control room's clock may be ahead of ours."""


@dataclass(frozen=True)
class ReplyTo:
    """Where an answer was asked for."""

    topic: str
    correlation: bytes | None = None


@dataclass(frozen=True)
class Late:
    """A command that came too late, or that nobody can tell to be in time."""

    why: Why
    text: str


@dataclass(frozen=True)
class Commanded:
    """A command that makes sense."""

    command: Command
    topic: str
    reply: ReplyTo | None
    late: Late | None = None
    """It is not to be carried out any more; one that was carried out may be answered again."""
    lapses_s: float = math.inf
    """When it is over, if it has to wait here, on CLOCK_MONOTONIC."""


@dataclass(frozen=True)
class Refusal:
    """A message that nothing follows from."""

    why: Why
    text: str
    """One sentence, for the journal and for whoever sent it."""
    topic: str
    name: str | None = None
    """The command that its topic names; None: it is no command."""
    reply: ReplyTo | None = None
    said: Document | None = None
    """What it says, where it could be read."""
    digest: str | None = None
    """SHA-256 of what came."""


Understood = Acknowledged | Commanded | Refusal


class _Refused(Exception):
    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why
        self.text = text


class Inbox:
    """Reads what comes for one unit."""

    def __init__(self, unit: UnitSettings) -> None:
        self._topics = UnitTopics(unit.org, unit.id)
        self._org = unit.org
        self.passed: datetime | None = None
        """A moment that has passed, whatever the clock says (`agent.clock_floor`); None: none is known."""

    def read(self, received: Received, now: Moment) -> Understood:
        """What a message means."""
        commanded = self._topics.commanded(received.topic)
        if commanded is not None:
            return self._read_command(*commanded, received, now)
        try:
            return self._read_ack(received, now)
        except _Refused as refused:
            return Refusal(refused.why, refused.text, received.topic)

    def _read_ack(self, received: Received, now: Moment) -> Acknowledged:
        if received.topic != self._topics.ack:
            raise _Refused(Why.UNKNOWN, "this is none of the unit's topics")
        data = _document(Kind.ACK, received)["data"]
        outcome = data.get("outcome")
        return Acknowledged(
            alert_id=data["alertId"],
            revision=data["revision"],
            level=AckLevel(data["level"]),
            at=now,
            operator_ref=data.get("operatorRef"),
            outcome=None if outcome is None else Outcome(outcome),
            cause=data.get("note"),
        )

    def _read_command(self, console: str, name: str, received: Received, now: Moment) -> Commanded | Refusal:
        reply, digest = self._reply_to(console, received), hashlib.sha256(received.payload).hexdigest()
        document: Document | None = None
        try:
            document = _document(Kind.COMMAND, received)
            self._check_console(console, document)
            _check_sense(name, document)
            late = _lateness(document, received, now, self.passed)
        except _Refused as refused:
            return Refusal(refused.why, refused.text, received.topic, name, reply, document, digest)
        data: dict[str, Any] = document["data"]
        command = Command(
            id=document["id"],
            source=document["source"],
            name=CommandName(name),
            args=data["args"],
            by=data["operatorRef"],
            at=now,
            reason=data.get("reason"),
            digest=digest,
        )
        return Commanded(command, received.topic, reply, late, now.monotonic_s + _left_s(document, received, now))

    def _check_console(self, console: str, document: Document) -> None:
        """Hold what a command says of its sender against the sender that the broker let write this topic.

        A broker that lets everybody write every topic is caught here only where the two differ.
        """
        source, its_own = document["source"], control_room_source(self._org, console)
        if not source.startswith(control_room_source(self._org, "")):
            raise _Refused(Why.FORBIDDEN, f"commands come from consoles such as {its_own}, not from {source}")
        if source != its_own:
            raise _Refused(Why.ANOTHER_NAME, f"the console {console} sent it, and it says that it is from {source}")

    def _reply_to(self, console: str, received: Received) -> ReplyTo | None:
        """Where to answer: this unit's topic for that console and nowhere else.

        So no command makes us write into another's, or tell one console what another one asked.
        """
        to, correlation = received.response_topic, received.correlation_data
        if to != self._topics.response(console):
            return None
        return ReplyTo(to, None if correlation is None else correlation[:MAX_CORRELATION])


def _check_sense(name: str, document: Document) -> None:
    data = document["data"]
    if name not in set(CommandName):
        raise _Refused(Why.UNKNOWN, f"this unit knows no command {name}")
    if data["command"] != name:
        raise _Refused(Why.INVALID, f"the command {data['command']} came on the topic of {name}")
    if document["type"] != f"{TYPE_PREFIX}.cmd.{name}.v1":
        raise _Refused(Why.INVALID, f"the type of a command {name} is {TYPE_PREFIX}.cmd.{name}.v1")


def _document(kind: Kind, received: Received) -> Document:
    if received.retain:
        raise _Refused(Why.RETAINED, f"a retained {kind} is never followed")
    if len(received.payload) > MAX_PAYLOAD:
        raise _Refused(Why.OVERSIZED, f"the {kind} has {len(received.payload)} bytes, more than {MAX_PAYLOAD}")
    try:
        return parse(kind, received.payload)
    except MessageInvalid as invalid:
        raise _Refused(Why.INVALID, str(invalid)) from invalid


def _lateness(document: Document, received: Received, now: Moment, passed: datetime | None) -> Late | None:
    """A command counts for 30 s at most, and not beyond its own expiry or that of its message."""
    made, expires = _time(document["time"]), _expires(document)
    # The broker counts a message's life in seconds of its own, down to when it reached this machine, and we count on
    # from there: that holds whatever our clock says.
    if received.expiry_s is not None and received.unread_s > received.expiry_s:
        ago = f"it may have lain here unread for {received.unread_s:.1f} s, and had {received.expiry_s} s left"
        return Late(Why.EXPIRED, ago)
    is_set = now.quality is not ClockQuality.UNSYNCED
    # One that is not set may be behind, but it is later than any moment that is known to have passed.
    if expires < (now.wall if is_set or passed is None else max(now.wall, passed)):
        return Late(Why.EXPIRED, f"the command expired at {document.get('expirytime', expires.isoformat())}")
    if not is_set:
        if received.expiry_s is None or received.expiry_s > COMMAND_EXPIRY_S:
            return Late(Why.CLOCK, "the unit's clock is not set, so only a message that expires within 30 s counts")
        return None
    if made - now.wall > timedelta(seconds=MAX_SKEW_S):
        return Late(Why.CLOCK, f"the command says it was made at {document['time']}, which is to come")
    return None


def _left_s(document: Document, received: Received, now: Moment) -> float:
    """How long a command that came in time still counts."""
    left_s = float(COMMAND_EXPIRY_S)
    if received.expiry_s is not None:
        left_s = min(left_s, received.expiry_s - received.unread_s)
    if now.quality is not ClockQuality.UNSYNCED:
        left_s = min(left_s, (_expires(document) - now.wall).total_seconds())
    return left_s


def _expires(document: Document) -> datetime:
    expires = _time(document["time"]) + timedelta(seconds=COMMAND_EXPIRY_S)
    return min(expires, _time(document["expirytime"])) if "expirytime" in document else expires


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _Refused(Why.INVALID, f"{text} is no time") from error
