"""Cuts an interval of the footage into an MP4 that plays anywhere. The pictures are copied, never encoded again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import av

from agent.footage.show.stills import decode_last
from agent.footage.store.incident_files import complete_file, sha256_of
from agent.footage.store.segments import GAP_FRAMES
from agent.footage.store.timeline import NoFootage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from agent.hw.kit import Packet

TICKS_A_SECOND = 18_000
"""The clock of a clip: a whole number of ticks for each frame at all usual rates, and gaps of up to 33 h. With the
90,000 of MPEG-TS FFmpeg's muxer makes one tick of every gap of over 6.6 h, because it counts them in 31 bits."""
TIME_BASE = Fraction(1, TICKS_A_SECOND)


@dataclass(frozen=True)
class Gap:
    """A stretch without pictures, on CLOCK_MONOTONIC."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Clip:
    """A finished clip."""

    path: Path
    sha256: str
    size_bytes: int
    start_s: float
    """The first frame's moment: that of the key frame at or before the wished start, where there is one."""
    end_s: float
    """The last frame's moment."""
    frames: int
    gaps: tuple[Gap, ...]
    """What is missing of the wished interval, at its ends too."""


@dataclass(frozen=True)
class Wish:
    """What a clip should show."""

    start_s: float
    end_s: float
    begins: datetime
    """The wall time of `start_s`, for the file's own metadata."""


def cut_clip(frames: Iterable[Packet], wish: Wish, target: Path) -> Clip:
    """Copy these frames, which begin with a key frame, into `target`.

    The file is made ready for streaming: its index comes first, and the decoder's setup (`avcC`) is read by FFmpeg
    from the first key frame. Within a gap the last picture stands, so all times in the clip stay true.

    Raises:
        NoFootage: there are no frames.
        OSError: the disk does not take it; a clip made earlier stays.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        msg = "no frame of this time is stored"
        raise NoFootage(msg)
    gaps = [Gap(wish.start_s, first.taken_s)] if first.taken_s - wish.start_s > GAP_FRAMES * first.frame_s else []
    last, count = first, 0
    with complete_file(target) as part:
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            begins = wish.begins + timedelta(seconds=first.taken_s - wish.start_s)
            container.metadata["creation_time"] = begins.isoformat()
            width, height = picture_size(first)
            stream = container.add_mux_stream("h264", width=width, height=height, time_base=TIME_BASE)
            for frame in chain([first], frames):
                if frame.taken_s - last.taken_s > GAP_FRAMES * last.frame_s:
                    gaps.append(Gap(last.taken_s, frame.taken_s))
                packet = av.Packet(frame.data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, TIME_BASE, frame.keyframe
                packet.pts = packet.dts = round((frame.taken_s - first.taken_s) * TICKS_A_SECOND)
                packet.duration = round(frame.frame_s * TICKS_A_SECOND)
                container.mux(packet)
                last, count = frame, count + 1
        sha256, size_bytes = sha256_of(part), part.stat().st_size
    if wish.end_s - last.taken_s > GAP_FRAMES * last.frame_s:
        gaps.append(Gap(last.taken_s, wish.end_s))
    return Clip(target, sha256, size_bytes, first.taken_s, last.taken_s, count, tuple(gaps))


def picture_size(keyframe: Packet) -> tuple[int, int]:
    """Width and height of the stream, as its own parameter sets say: the configuration may have changed since.

    Raises:
        NoFootage: it is not a decodable key frame.
    """
    picture = decode_last([keyframe])
    return picture.width, picture.height
