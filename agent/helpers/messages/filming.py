"""What the recorder sees and keeps, and the media of alerts that it is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of messages


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
