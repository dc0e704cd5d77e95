"""What the daemon and its two helper processes say to each other.

One JSON object a line over a socket pair, each a small frozen dataclass with its own `type`: events and heartbeats up,
requests down. What happens now travels as a reading of CLOCK_MONOTONIC, which all processes of one boot share; footage
is asked for by whole moments, because it may be that of an earlier boot.

`work` is said by both helpers, `hearing` by and to the listener, `filming` and `orders` by and to the recorder.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from agent.helpers.messages.filming import (
    ClipRequest,
    FootageStands,
    MediaMade,
    MediaMissed,
    StillRequest,
    StripRequest,
    TamperOver,
    TamperSeen,
)
from agent.helpers.messages.hearing import (
    HearingStands,
    PhraseHeard,
    PhraseSuspected,
    SelfTest,
    SelfTestBegun,
    SelfTestEnded,
    SoundMeasured,
)
from agent.helpers.messages.orders import ClipOrder, HoldOrder, Order, OrderDone, OrderRefused, ReleaseOrder, StillOrder
from agent.helpers.messages.work import PipelineRestarted, Settings, Trouble, TroubleOver, Working

__all__ = [
    "MAX_LINE_BYTES",
    "ClipOrder",
    "ClipRequest",
    "Event",
    "FootageStands",
    "HearingStands",
    "HoldOrder",
    "MediaMade",
    "MediaMissed",
    "Message",
    "Order",
    "OrderDone",
    "OrderRefused",
    "PhraseHeard",
    "PhraseSuspected",
    "PipelineRestarted",
    "ReleaseOrder",
    "Request",
    "SelfTest",
    "SelfTestBegun",
    "SelfTestEnded",
    "Settings",
    "SoundMeasured",
    "StillOrder",
    "StillRequest",
    "StripRequest",
    "TamperOver",
    "TamperSeen",
    "Trouble",
    "TroubleOver",
    "Working",
    "decode",
    "encode",
]

MAX_LINE_BYTES = 64 * 1024
"""No message comes near this; a longer line is a broken or hostile peer."""

Event = (
    Working
    | Trouble
    | TroubleOver
    | PipelineRestarted
    | PhraseSuspected
    | PhraseHeard
    | TamperSeen
    | TamperOver
    | FootageStands
    | SoundMeasured
    | HearingStands
    | SelfTestBegun
    | SelfTestEnded
    | MediaMade
    | MediaMissed
    | OrderDone
    | OrderRefused
)
Request = Settings | SelfTest | StillRequest | StripRequest | ClipRequest | Order
Message = Event | Request

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def encode(message: Message) -> bytes:
    """The message as one line."""
    return _ADAPTER.dump_json(message) + b"\n"


def decode(line: bytes) -> Message:
    """The message of one line.

    Raises:
        ValueError: it is none of ours.
    """
    return _ADAPTER.validate_json(line)
