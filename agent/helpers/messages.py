"""What the daemon and its two helper processes say to each other.

One JSON object a line over a socket pair, each a small frozen dataclass with its own `type`: events and heartbeats up,
requests down. What happens now travels as a reading of CLOCK_MONOTONIC, which all processes of one boot share; footage
is asked for by whole moments, because it may be that of an earlier boot.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - pydantic reads the types of messages
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of messages

MAX_LINE_BYTES = 64 * 1024
"""No message comes near this; a longer line is a broken or hostile peer."""


@dataclass(frozen=True)
class Settings:
    """The first message down: what the helper works with."""

    config_json: str
    """The whole `Config` as JSON."""
    type: Literal["settings"] = "settings"


@dataclass(frozen=True)
class Working:
    """Proof of work, at least each second: sent only by the loop that does the work, when it did some."""

    done: int
    """Blocks heard or frames written since the helper began."""
    lost: int
    """Blocks or frames lost since the helper began: nothing is dropped uncounted."""
    log_lost: int = 0
    """Lines of its log lost since the helper began, because nobody read them."""
    type: Literal["working"] = "working"


@dataclass(frozen=True)
class Trouble:
    """A part of the helper's work fails; it goes on with the rest or tries again by itself."""

    code: str
    text: str
    type: Literal["trouble"] = "trouble"


@dataclass(frozen=True)
class TroubleOver:
    """What failed works again."""

    code: str
    type: Literal["trouble-over"] = "trouble-over"


@dataclass(frozen=True)
class PipelineRestarted:
    """The helper closed its device and opens it again: the first rung of the ladder, sent each time it is climbed."""

    type: Literal["pipeline-restarted"] = "pipeline-restarted"


@dataclass(frozen=True)
class PhraseSuspected:
    """What the listener hears looks like a phrase so far; once an utterance at most. `PhraseHeard` may follow."""

    label: str
    since_s: float
    """Since when, on CLOCK_MONOTONIC."""
    silent: bool
    type: Literal["phrase-suspected"] = "phrase-suspected"


@dataclass(frozen=True)
class PhraseHeard:
    """The listener decided that a phrase was said."""

    label: str
    start_s: float
    end_s: float
    """First and last moment of the phrase, on CLOCK_MONOTONIC; of one that must be said twice, of both together."""
    decided_s: float
    confidence: float
    """The least sure word."""
    silent: bool
    type: Literal["phrase-heard"] = "phrase-heard"


@dataclass(frozen=True)
class TamperSeen:
    """The recorder's picture shows that somebody or something disabled the camera; once until it is over."""

    kind: str
    """Of `agent.footage.tamper.watch.Tamper`: "covered", "moved" ..."""
    seen_s: float
    """When it was first to be seen, on CLOCK_MONOTONIC."""
    scores: dict[str, float]
    """What was measured, by name with unit."""
    type: Literal["tamper-seen"] = "tamper-seen"


@dataclass(frozen=True)
class TamperOver:
    """The picture is as it should be again."""

    over_s: float
    type: Literal["tamper-over"] = "tamper-over"


@dataclass(frozen=True)
class FootageStands:
    """How much footage there is and how long it will last, each time a segment is complete."""

    facts: dict[str, float | int | str | None]
    """For the heartbeat, by name with unit."""
    type: Literal["footage-stands"] = "footage-stands"


@dataclass(frozen=True)
class SoundMeasured:
    """How loud the last minute was: numbers, never sound, and indicative only (never for enforcement)."""

    until_s: float
    """The end of that minute, on CLOCK_MONOTONIC."""
    laeq_db: float
    lafmax_db: float
    """A-weighted: the mean energy, and the maximum with Fast. Here and below dB re 20 uPa, or, where nothing was ever
    calibrated, dB re full scale."""
    octaves_db: dict[str, float]
    """Unweighted mean energy by octave band, by nominal mid-band frequency in Hz; empty where they are off."""
    measured_s: int
    """Seconds of that minute that were measured."""
    overloaded_s: int
    """Of these, seconds that reached full scale: their true levels are higher."""
    la90_db: float
    """The A-weighted level exceeded for 90 % of the last ten minutes: the background."""
    floor_measured_s: int
    """Seconds of those ten minutes that were measured."""
    calibrated_on: date | None
    """None: the levels are relative to full scale."""
    type: Literal["sound-measured"] = "sound-measured"


@dataclass(frozen=True)
class HearingStands:
    """How the listener hears, each ten seconds of sound (`agent.voice.liveness`)."""

    at_s: float
    """When the last of that sound was taken, on CLOCK_MONOTONIC."""
    facts: dict[str, float | int]
    """For the heartbeat, by name with unit."""
    type: Literal["hearing-stands"] = "hearing-stands"


@dataclass(frozen=True)
class SelfTest:
    """Listen for the unit's own line, as soon as it is quiet; not asked again of a later process."""

    number: int
    """Counts the tries; both answers repeat it."""
    type: Literal["self-test"] = "self-test"


@dataclass(frozen=True)
class SelfTestBegun:
    """The listener listens for the line now: time to speak it."""

    number: int
    type: Literal["self-test-begun"] = "self-test-begun"


@dataclass(frozen=True)
class SelfTestEnded:
    """The listener heard the line, or had waited for it long enough."""

    number: int
    level_dbfs: float | None
    """How loud the line was; None: it was not heard."""
    ended_s: float
    """When that was sure, on CLOCK_MONOTONIC."""
    type: Literal["self-test-ended"] = "self-test-ended"


@dataclass(frozen=True)
class StillRequest:
    """Make a still of the frame nearest to this moment, of whatever boot it is."""

    alert_id: str
    at: Moment
    type: Literal["still-request"] = "still-request"


@dataclass(frozen=True)
class StripRequest:
    """Make one picture of three: before, at and after this moment."""

    alert_id: str
    at: Moment
    type: Literal["strip-request"] = "strip-request"


@dataclass(frozen=True)
class ClipRequest:
    """Cut a clip; it is answered once the footage up to `end` is on the disk. Both moments are of one boot."""

    alert_id: str
    start: Moment
    end: Moment
    type: Literal["clip-request"] = "clip-request"


@dataclass(frozen=True)
class MediaMade:
    """A still, strip or clip is complete on the disk."""

    alert_id: str
    media: Literal["still", "strip", "clip"]
    path: str
    sha256: str
    size_bytes: int
    start: Moment
    end: Moment
    """Of its first and last frame."""
    type: Literal["media-made"] = "media-made"


@dataclass(frozen=True)
class MediaMissed:
    """A still, strip or clip cannot be made, and will not be."""

    alert_id: str
    media: Literal["still", "strip", "clip"]
    reason: str
    type: Literal["media-missed"] = "media-missed"


@dataclass(frozen=True)
class StillOrder:
    """Make a still of this moment of wall time, for whoever asked; of no incident."""

    order_id: str
    """Also the name of the folder in which it is made."""
    at: datetime
    type: Literal["still-order"] = "still-order"


@dataclass(frozen=True)
class ClipOrder:
    """Cut a clip of this interval of wall time, once its footage is there."""

    order_id: str
    start: datetime
    end: datetime
    type: Literal["clip-order"] = "clip-order"


@dataclass(frozen=True)
class HoldOrder:
    """Keep the footage of this interval until it is released."""

    order_id: str
    ref: str
    reason: str
    by: str
    made: datetime
    start: datetime
    end: datetime
    type: Literal["hold-order"] = "hold-order"


@dataclass(frozen=True)
class ReleaseOrder:
    """End the hold of this reference."""

    order_id: str
    ref: str
    reason: str
    by: str
    made: datetime
    type: Literal["release-order"] = "release-order"


@dataclass(frozen=True)
class OrderDone:
    """An order was carried out."""

    order_id: str
    text: str
    facts: dict[str, str | int | float | bool]
    type: Literal["order-done"] = "order-done"


@dataclass(frozen=True)
class OrderRefused:
    """An order cannot be carried out, and will not be."""

    order_id: str
    code: str
    """Of `agent.signals.Why`."""
    text: str
    type: Literal["order-refused"] = "order-refused"


Order = StillOrder | ClipOrder | HoldOrder | ReleaseOrder
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
