"""A segment of footage: its name, which says all that is known about its time, and its one writer."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from agent.clock import ClockQuality, Moment
from agent.footage.store.transport import FrameMuxer

if TYPE_CHECKING:
    from pathlib import Path

    from agent.hw.kit import Packet

CLOCK_STEP_S = 0.5
"""Wall time that moved so far against the monotonic clock was set: NTP daemons slew anything smaller (chrony's and
timesyncd's bounds are 0.4 to 1 s). The next segment's name then tells the new time; the old names stay."""
GAP_FRAMES = 1.5
"""Two frames further apart than this have a lost one between them (camera-lab section 1)."""
BOOT_DIGITS = 8
"""Of the boot id's 32: two boots of one unit share them once in four thousand million."""
WALL_FORMAT = "%Y%m%dT%H%M%S"
NAME_PATTERN = re.compile(
    r"(?P<wall>\d{8}T\d{6})\.(?P<milli>\d{3})Z-(?P<boot>[0-9a-f]{8})-(?P<mono>\d{12})"
    r"-(?P<quality>synced|holdover|unsynced)-(?P<fps>[1-9]\d?)fps\.ts"
)


def boot_of(moment: Moment) -> str:
    """The short boot id of segment names."""
    return moment.boot_id.replace("-", "")[:BOOT_DIGITS]


@dataclass(frozen=True)
class SegmentName:
    """`20261122T021407.412Z-1a2b3c4d-000095443700-synced-15fps.ts`: UTC, boot, monotonic ms, clock quality, rate.

    UTC sorts and knows no summer time; boot and monotonic time keep it unique when wall time is stepped back. Without
    the rate nobody could tell a lost frame from a slower camera.
    """

    start: Moment
    """The first frame's moment, to the millisecond; `boot_id` is the short one."""
    fps: int
    """Frames per second that the camera was to take."""

    @classmethod
    def of(cls, start: Moment, fps: int) -> Self:
        """The name of a segment that begins at this moment."""
        milli = start.wall.microsecond // 1000 * 1000
        mono_s = int(start.monotonic_s * 1000) / 1000
        return cls(Moment(mono_s, start.wall.replace(microsecond=milli), boot_of(start), start.quality), fps)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a file's name.

        Raises:
            ValueError: it is not a segment's.
        """
        found = NAME_PATTERN.fullmatch(name)
        if found is None:
            msg = f"{name!r} is not the name of a segment"
            raise ValueError(msg)
        wall = datetime.strptime(found["wall"], WALL_FORMAT).replace(microsecond=int(found["milli"]) * 1000, tzinfo=UTC)
        return cls(
            Moment(int(found["mono"]) / 1000, wall, found["boot"], ClockQuality(found["quality"])), int(found["fps"])
        )

    def __str__(self) -> str:
        wall = self.start.wall.astimezone(UTC)
        mono_ms = round(self.start.monotonic_s * 1000)
        moment = f"{wall:{WALL_FORMAT}}.{wall.microsecond // 1000:03}Z"
        return f"{moment}-{self.start.boot_id}-{mono_ms:012}-{self.start.quality}-{self.fps}fps.ts"

    @property
    def frame_s(self) -> float:
        """From one frame to the next."""
        return 1 / self.fps


def sync_folder(folder: Path) -> None:
    """Make a new or removed name in this folder survive a power cut.

    Raises:
        OSError: the disk does not take it.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class SegmentWriter:
    """Writes one segment, once, in its final place. Every method raises `OSError` when the disk does not take it."""

    def __init__(self, folder: Path, start: Moment, fps: int) -> None:
        self.name = SegmentName.of(start, fps)
        self.started = start
        """The first frame's moment, as exactly as it is known."""
        self.path = folder / str(self.name)
        self.size_bytes = 0
        self.frames = 0
        self.end_s = start.monotonic_s
        """The last frame's moment."""
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._muxer = FrameMuxer()
        try:
            sync_folder(folder)
        except OSError:
            self.close()
            raise

    def write(self, frame: Packet) -> None:
        """Hand all bytes of this frame to the disk, or none: a reader beside us never sees half a frame as whole."""
        data = self._muxer.mux(frame)
        try:
            written = os.write(self._fd, data)
            while written < len(data):  # a short write: the next one says why
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, self.size_bytes)
            raise
        self.size_bytes += len(data)
        self.frames += 1
        self.end_s = frame.taken_s

    def sync(self) -> None:
        """Wait until all that was written would survive a power cut."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Free the file. Nothing is waiting to be written: every frame went out whole."""
        self._muxer.close()
        os.close(self._fd)
