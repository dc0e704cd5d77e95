"""Footage that belongs to an incident: what is asked of the recorder and of the uploads, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from agent.clock import Moment


class Media(StrEnum):
    """Footage that belongs to an incident."""

    STILL = "still"
    STRIP = "strip"
    """Before, at and after the trigger, side by side in one picture."""
    CLIP = "clip"


@dataclass(frozen=True)
class TakeStill:
    """Make a still of the moment a sensor went off."""

    alert_id: str
    at: Moment
    media: ClassVar[Media] = Media.STILL


@dataclass(frozen=True)
class TakeStrip:
    """Make a strip of three pictures: before, at and after the moment a sensor went off."""

    alert_id: str
    at: Moment
    media: ClassVar[Media] = Media.STRIP


@dataclass(frozen=True)
class CutClip:
    """Cut the footage between these moments into a clip; `end` may lie a little in the future.

    One that was cut for the same alert before is replaced.
    """

    alert_id: str
    start: Moment
    end: Moment
    media: ClassVar[Media] = Media.CLIP


Filming = TakeStill | TakeStrip | CutClip
"""What is asked of the recorder: each is answered by a `MediaReady` or a `MediaFailed` of its `media`."""


@dataclass(frozen=True)
class MediaReady:
    """A still, a strip or a clip of an incident is stored on the unit."""

    alert_id: str
    media: Media
    at: Moment
    path: str
    """Where it lies on the unit."""
    sha256: str
    size_bytes: int
    start: Moment | None = None
    """The first frame's moment (of a still, its only one; of a strip, that of its first picture)."""
    end: Moment | None = None
    """The last frame's moment."""


@dataclass(frozen=True)
class MediaFailed:
    """A still, a strip or a clip could not be made."""

    alert_id: str
    media: Media
    reason: str
    at: Moment


@dataclass(frozen=True)
class MediaSent:
    """A still, a strip or a clip was uploaded where a command named, or could not be."""

    alert_id: str
    media: Media
    at: Moment
    host: str
    """Where to."""
    sha256: str | None = None
    """Of what was sent: of a clip that grew meanwhile it is that of the shorter one."""
    confirmed: str | None = None
    """How the server confirmed it (`agent.uplink.media.request.Confirmed`); None: it is not there."""
    reason: str | None = None
    """Why not."""


@dataclass(frozen=True)
class MediaUnderWay:
    """A still, a strip or a clip is being uploaded to where a command named."""

    alert_id: str
    media: Media
    at: Moment
    host: str
    """Where to."""
    percent: int
    """How much of it the server has."""
