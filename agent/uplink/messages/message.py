"""What every message of the contract has in common: CloudEvents 1.0 in structured JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ulid import ULID

from agent.uplink.jsonable import timestamp
from agent.uplink.publication import Publication

if TYPE_CHECKING:
    from datetime import datetime

    from agent.config.settings import UnitSettings

TYPE_PREFIX: Final = "org.safepoint"
"""Reverse DNS of nobody in particular: an operator who forks the contract changes it here."""

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


def event(event_id: str, source: str, what: str, at: datetime, data: Document) -> Document:
    """The CloudEvent in which this source says that this is so."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"{TYPE_PREFIX}.{what}.v1",
        "time": timestamp(at),
        "datacontenttype": "application/json",
        "data": data,
    }


def new_id() -> str:
    """An id that sorts by time."""
    return str(ULID())
