"""What a unit can be told of its camera and of what becomes of the pictures."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from agent.config.base import LocalPath, Name, Seconds, Settings
from agent.footage.burn.masks import Cells, covered_cells
from agent.footage.burn.placement import caption_spot

if TYPE_CHECKING:
    from collections.abc import Iterator

Share = Annotated[float, Field(ge=0, le=1)]


class MaskSettings(Settings):
    """A part of the picture that is blackened before it is encoded: a neighbour's window, a school's yard."""

    name: Name
    points: Annotated[tuple[tuple[Share, Share], ...], Field(min_length=3, max_length=64)]
    """The corners of a polygon, each [x, y] as shares of the picture's width and height from its upper left corner."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """A mask has an area: who gives one corner three times meant another."""
        (x0, y0), *others = self.points
        from_first = [(x - x0, y - y0) for x, y in others]
        if all(ax * by == ay * bx for ax, ay in from_first for bx, by in from_first):
            yield "points", "lie on one line: a mask needs three corners that do not"


class CameraSettings(Settings):
    """The camera."""

    enabled: bool = False
    name: str = "cam-1"
    """Named, not numbered, on the site plan ("Central Walk NORTH")."""
    bearing_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    width_px: Annotated[int, Field(ge=64, le=4096, multiple_of=2)] = 1280
    height_px: Annotated[int, Field(ge=64, le=4096, multiple_of=2)] = 720
    fps: Annotated[int, Field(ge=6, le=60)] = 15
    """Frames per second; 6 is the least a force takes, 12 to 15 do for people (standards.md 2.2)."""
    bitrate_kbps: Annotated[int, Field(ge=100, le=20_000)] = 2000
    encoder: Literal["auto", "hardware", "software"] = "auto"
    """`hardware` is the Pi 4's (and older), `software` is libx264, all that a Pi 5 has; `auto` asks the board."""
    masks: tuple[MaskSettings, ...] = ()
    """Blackened in every picture, whatever else is drawn there."""
    caption: Literal["top", "bottom", "none"] = "top"
    """Along which edge date, time with its offset, the clock's quality and the unit's names are burned in: beside all
    masks, so further inside the picture where they cover its edge."""
    tamper: bool = True
    """Whether a covered, blurred, blinded, turned or frozen camera is a tamper alert."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Masks are told apart by their names."""
        names = [mask.name for mask in self.masks]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield "masks", f'has two masks that are called "{name}"'
        if self.caption != "none" and caption_spot(self.covered(), self.caption) is None:
            if caption_spot(Cells.none(self.width_px, self.height_px), self.caption) is None:
                yield "width_px", "is too small for the caption: film larger pictures, or say caption: none"
            else:
                yield "masks", "leave no place in which the caption can be read: cover less, or say caption: none"

    def covered(self) -> Cells:
        """What all masks together cover."""
        masks = (covered_cells(mask.points, self.width_px, self.height_px) for mask in self.masks)
        return reduce(or_, masks, Cells.none(self.width_px, self.height_px))


class FootageSettings(Settings):
    """What becomes of the pictures."""

    folder: LocalPath | None = None
    """Where footage lies; None: `footage` below the state folder."""
    mount: LocalPath | None = None
    """The volume that `folder` lies on: while nothing is mounted here nothing is recorded, so that a lost disk never
    fills the system's card. None: footage lies on the system's own disk."""
    segment_s: Annotated[int, Field(ge=2, le=60)] = 10
    sync_s: Annotated[float, Field(ge=0.2, le=10)] = 1.0
    """How often what was written is made safe: a power cut takes at most this much footage."""
    pre_event_s: Annotated[float, Field(ge=0, le=60)] = 10.0
    post_event_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    clip_cap_s: Seconds = 600.0
    """The longest clip of one incident."""
    keep_days: Annotated[float, Field(gt=0, le=31)] = 31.0
    """Rolling footage is deleted at this age; 31 days are also the most (standards.md 2.2)."""
    incident_keep_days: Annotated[float, Field(gt=0, le=31)] = 31.0
    """The footage of an incident, its clip and its stills are deleted at this age, unless they are held."""
    export_keep_days: Annotated[float, Field(gt=0, le=31)] = 7.0
    """An export is deleted so long after it was made, or earlier when room is needed. A week is time to fetch it over a
    long weekend and for an upload to give up and be asked for again; it is a copy, and a copy that outlives its purpose
    is one more picture of people to answer for."""
    rolling_max_mb: Annotated[int, Field(ge=10)] = 20_000
    """The oldest rolling segments go when all of them together hold more than this."""
    incident_max_mb: Annotated[int, Field(ge=10)] = 5_000
    """The oldest incident footage becomes rolling when all of it together holds more than this."""
    reserve_mb: Annotated[int, Field(ge=10)] = 200
    """What footage leaves free on its disk for the rest of the unit: an outbox at its capacity with its write-ahead log
    (about 80 MB), the journal's usual cap (100 MB) and some slack."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """The longest clip holds at least one event."""
        event_s = self.pre_event_s + self.post_event_s
        if self.clip_cap_s < event_s:
            yield "clip_cap_s", f"must be at least pre_event_s + post_event_s ({event_s:g} s)"
        if self.mount is not None and (self.folder is None or not self.folder.is_relative_to(self.mount)):
            yield "folder", f"must lie on the volume that footage.mount names ({self.mount})"


class RecoverySettings(Settings):
    """What a unit may do by itself to get its recording back."""

    reboot: bool = True
    """Whether it may restart its machine when footage is missing and nothing less helped: never while a help call or
    an intrusion goes on, at most once in six hours and twice a day."""
