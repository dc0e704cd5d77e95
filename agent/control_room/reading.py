"""From an MQTT message to something the desk can believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.control_room.happenings import UnitKey
from agent.uplink.messages import Document, Kind
from agent.uplink.topics import ROOT
from agent.uplink.validation import MessageInvalid, parse

if TYPE_CHECKING:
    from agent.uplink.publication import Received

STANDING = "incident"
"""The level of the topic that says how an alert stands, for whoever comes later."""
_KINDS = {
    "status": Kind.STATUS,
    "heartbeat": Kind.HEARTBEAT,
    "alert": Kind.ALERT,
    STANDING: Kind.ALERT,
    "ack": Kind.ACK,
    "cmd": Kind.COMMAND,
    "rsp": Kind.RESPONSE,
    "audit": Kind.AUDIT,
}
_OF_UNITS = frozenset({Kind.STATUS, Kind.HEARTBEAT, Kind.ALERT, Kind.RESPONSE, Kind.AUDIT})
"""What a unit says itself: the broker ties the topic to its certificate, and we the words to the topic."""


@dataclass(frozen=True)
class Reading:
    """A message that keeps the contract."""

    kind: Kind
    unit: UnitKey
    document: Document
    retained: bool = False
    """The broker kept it from before we listened."""
    standing: bool = False
    """It says again how an alert stands; it is news only to a console that does not know the alert."""


def read(received: Received) -> Reading | None:
    """Hold a message against its topic and its schema.

    Returns:
        None for what says nothing: a topic that is not part of the contract (a newer unit may have more), or a
        retained message that was deleted.

    Raises:
        MessageInvalid: it cannot be believed; the text says why.
    """
    levels = received.topic.removeprefix(f"{ROOT}/").split("/")
    if len(levels) < 3 or levels[2] not in _KINDS or not received.payload:  # noqa: PLR2004 - organisation, unit, kind
        return None
    kind, unit = _KINDS[levels[2]], UnitKey(levels[0], levels[1])
    document = parse(kind, received.payload)
    if kind in _OF_UNITS and document["source"] != f"/safepoint/{unit.org}/units/{unit.unit}":
        msg = f"the {kind} says it is from {document['source']}"
        raise MessageInvalid(msg)
    if kind is Kind.ALERT:
        about = document["data"]["alertId" if levels[2] == STANDING else "category"]
        if levels[3:] != [about]:
            msg = f"the alert is about {about}, its topic is not"
            raise MessageInvalid(msg)
    return Reading(kind, unit, document, received.retain, standing=levels[2] == STANDING)
