"""A still or a strip as an MQTT message of its own: a CloudEvent in binary mode, the JPEG as it is.

In binary mode the event's attributes are MQTT 5 user properties and the payload is nothing but the picture: in a
structured event it would be a third larger. The alert revision says the same SHA-256 (`evidence.snapshot.sha256`), so
a picture is believed for the alert's sake, whichever of the two comes first.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from agent.uplink.jsonable import timestamp
from agent.uplink.messages import TYPE_PREFIX, Kind, unit_source
from agent.uplink.publication import Publication
from agent.uplink.topics import ROOT, UnitTopics
from agent.uplink.validation import MessageInvalid, check

if TYPE_CHECKING:
    from agent.config.settings import UnitSettings
    from agent.uplink.publication import Received

JPEG: Final = "image/jpeg"
JPEG_BEGINS: Final = b"\xff\xd8\xff"
MAX_BYTES: Final = 60_000
"""What a still may weigh (`agent.footage.show.stills` makes none that is larger): half a second at 1 Mbit/s."""
LEVELS: Final = 5
"""Of its topic, below the root: organisation, unit, `still`, alert, name."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
STILL_EXPIRY_S: Final = 86_400
"""As long as the alerts that it belongs to."""


class PieceName(StrEnum):
    """Which picture of an alert it is: the last level of its topic, and the member of `evidence` that has its hash."""

    SNAPSHOT = "snapshot"
    STRIP = "strip"


@dataclass(frozen=True)
class Still:
    """A picture on its way."""

    alert_id: str
    name: str
    """A `PieceName`; a newer unit may have others."""
    taken: datetime
    """When its picture was taken (of a strip: the first one), by the unit's clock."""
    sha256: str
    jpeg: bytes = field(repr=False)


def publication(unit: UnitSettings, still: Still) -> Publication:
    """The message of a picture. The same picture is the same event, however often it is sent."""
    attributes = {
        "specversion": "1.0",
        "id": f"{still.alert_id}-{still.name}-{still.sha256[:16]}",
        "source": unit_source(unit),
        "type": f"{TYPE_PREFIX}.still.v1",
        "time": timestamp(still.taken),
        "correlationid": still.alert_id,
        "sha256": still.sha256,
    }
    return Publication(
        topic=UnitTopics(unit.org, unit.id).still(still.alert_id, still.name),
        payload=still.jpeg,
        expiry_s=STILL_EXPIRY_S,
        content_type=JPEG,
        user_properties=tuple(attributes.items()),
    )


def read(received: Received) -> tuple[Still, str]:
    """The picture of a message from outside, and the source that it names; its checksum was compared.

    Raises:
        MessageInvalid: it is none, or not the one that it says it is; the text says why.
    """
    levels = received.topic.removeprefix(f"{ROOT}/").split("/")
    attributes = dict(received.user_properties)
    check(Kind.STILL, attributes)
    if len(levels) != LEVELS or _NAME.fullmatch(levels[-1]) is None:
        msg = "the topic names no picture"
        raise MessageInvalid(msg)
    if levels[-2] != attributes["correlationid"]:
        msg = f"the still is of {attributes['correlationid']}, its topic is not"
        raise MessageInvalid(msg)
    if received.content_type != JPEG or not received.payload.startswith(JPEG_BEGINS):
        msg = "the still is no JPEG"
        raise MessageInvalid(msg)
    if len(received.payload) > MAX_BYTES:
        msg = f"the still has {len(received.payload)} bytes, more than {MAX_BYTES}"
        raise MessageInvalid(msg)
    if hashlib.sha256(received.payload).hexdigest() != attributes["sha256"]:
        msg = "the still is not the one that its checksum is of"
        raise MessageInvalid(msg)
    try:
        taken = datetime.fromisoformat(attributes["time"])
    except ValueError as error:
        msg = f"the still's time is none: {error}"
        raise MessageInvalid(msg) from error
    still = Still(attributes["correlationid"], levels[-1], taken, attributes["sha256"], received.payload)
    return still, attributes["source"]
