"""What the control room says to the unit: understood, or refused with a reason. Pure; nothing here raises.

Who may say it is the broker's business (only the control room's certificate may write these topics); whether it
makes sense, is new and is in time is decided here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from agent.clock import ClockQuality
from agent.signals import AckLevel, Acknowledged, Outcome, SetRequested, TestRequested
from agent.uplink import messages
from agent.uplink.messages import Answer, CommandName, Kind, Message
from agent.uplink.topics import COMMAND_EXPIRY_S, UnitTopics
from agent.uplink.validation import MessageInvalid, parse

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import UnitSettings
    from agent.uplink.messages import Document
    from agent.uplink.publication import Received

MAX_PAYLOAD: Final = 16 * 1024
"""No acknowledgement or command comes near this."""
MAX_SKEW_S: Final = 30.0
"""How far the control room's clock may be ahead of ours."""
REMEMBERED_IDS: Final = 1000
"""Commands expire within a minute at most: more than this in a minute is no control room."""


class Why(StrEnum):
    """Why a message is refused; the `code` of the response."""

    RETAINED = "retained"
    """A command is for now; a retained one would be carried out again at every reconnection."""
    OVERSIZED = "oversized"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CLOCK = "clock"
    """Whether it is in time cannot be told: the unit's clock is not set and the message has no expiry of its own."""
    REPLAYED = "replayed"


@dataclass(frozen=True)
class Accepted:
    """A command that is to be carried out."""

    signal: SetRequested | TestRequested
    reply: Message | None
    """The answer, where one was asked for."""


@dataclass(frozen=True)
class Refusal:
    """A message that nothing follows from."""

    why: Why
    text: str
    """One sentence, for the journal and for whoever sent it."""
    topic: str
    reply: Message | None = None


Understood = Acknowledged | Accepted | Refusal


class _Refused(Exception):
    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why
        self.text = text


class Inbox:
    """Reads what comes for one unit, and remembers which commands came."""

    def __init__(self, unit: UnitSettings) -> None:
        self._unit = unit
        self._topics = UnitTopics(unit.org, unit.id)
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def read(self, received: Received, now: Moment) -> Understood:
        """What a message means."""
        name = self._topics.command_name(received.topic)
        if name is not None:
            return self._read_command(name, received, now)
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

    def _read_command(self, name: str, received: Received, now: Moment) -> Accepted | Refusal:
        document: Document | None = None
        try:
            document = _document(Kind.COMMAND, received)
            signal = self._understand(name, document, received, now)
        except _Refused as refused:
            reply = self._reply(name, document, received, now, refused)
            return Refusal(refused.why, refused.text, received.topic, reply)
        return Accepted(signal, self._reply(name, document, received, now))

    def _understand(
        self, name: str, document: Document, received: Received, now: Moment
    ) -> SetRequested | TestRequested:
        data = document["data"]
        if data["command"] != name:
            raise _Refused(Why.INVALID, f"the command {data['command']} came on the topic of {name}")
        if name not in set(CommandName):
            raise _Refused(Why.UNKNOWN, f"this unit knows no command {name}")
        _check_time(document, received, now)
        self._check_new(document)
        if name == CommandName.TEST_ALERT:
            return TestRequested(by=data["operatorRef"], at=now)
        return SetRequested(armed=name == CommandName.SET, by=data["operatorRef"], at=now)

    def _check_new(self, document: Document) -> None:
        identity = (document["source"], document["id"])
        if identity in self._seen:
            raise _Refused(Why.REPLAYED, "this command came before")
        self._seen[identity] = None
        if len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)

    def _reply(
        self,
        name: str,
        document: Document | None,
        received: Received,
        now: Moment,
        refused: _Refused | None = None,
    ) -> Message | None:
        """The answer, to a topic of this unit and nowhere else: a command must not make us write into another's."""
        to = received.response_topic
        if to is None or not self._topics.owns_response(to):
            return None
        return messages.response(
            self._unit,
            now,
            to=to,
            correlation_data=received.correlation_data,
            command_id=None if document is None else document["id"],
            name=name,
            answer=Answer.ACCEPTED if refused is None else Answer.REFUSED,
            code=None if refused is None else refused.why,
            detail=None if refused is None else refused.text,
        )


def _document(kind: Kind, received: Received) -> Document:
    if received.retain:
        raise _Refused(Why.RETAINED, f"a retained {kind} is never followed")
    if len(received.payload) > MAX_PAYLOAD:
        raise _Refused(Why.OVERSIZED, f"the {kind} has {len(received.payload)} bytes, more than {MAX_PAYLOAD}")
    try:
        return parse(kind, received.payload)
    except MessageInvalid as invalid:
        raise _Refused(Why.INVALID, str(invalid)) from invalid


def _check_time(document: Document, received: Received, now: Moment) -> None:
    """A command counts for 30 s at most, and not beyond its own expiry."""
    if now.quality is ClockQuality.UNSYNCED:
        # The broker counts a message's life in seconds of its own: that holds whatever our clock says.
        if received.expiry_s is None or received.expiry_s > COMMAND_EXPIRY_S:
            raise _Refused(Why.CLOCK, "the unit's clock is not set, so only a message that expires within 30 s counts")
        return
    made = _time(document["time"])
    expires = made + timedelta(seconds=COMMAND_EXPIRY_S)
    if "expirytime" in document:
        expires = min(expires, _time(document["expirytime"]))
    if now.wall > expires:
        raise _Refused(Why.EXPIRED, f"the command expired at {document.get('expirytime', expires.isoformat())}")
    if made - now.wall > timedelta(seconds=MAX_SKEW_S):
        raise _Refused(Why.CLOCK, f"the command says it was made at {document['time']}, which is to come")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _Refused(Why.INVALID, f"{text} is no time") from error
