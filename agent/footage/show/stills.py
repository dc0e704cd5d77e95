"""Makes a JPEG of one moment from the footage on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from agent.footage.store.incident_files import complete_file, sha256_of
from agent.footage.store.timeline import NoFootage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agent.hw.kit import Packet

MAX_BYTES = 60_000
"""What a still may weigh, so that it follows its alert within seconds over a bad mobile link."""
REACH_S = 2.0
"""A frame further away than this does not show the moment: it is the time after which a camera counts as stalled."""
QUALITIES = (3, 5, 8, 12, 18, 25, 31)
"""MJPEG quantiser scales from fine to the coarsest there is."""
LEAST_SIDE_PX = 64


@dataclass(frozen=True)
class Still:
    """A finished still."""

    path: Path
    sha256: str
    size_bytes: int
    taken_s: float


@dataclass(frozen=True)
class Shot:
    """One decoded picture."""

    picture: av.VideoFrame
    taken_s: float


def take_still(frames: Iterable[Packet], at_s: float, target: Path) -> Still:
    """Store the picture nearest to `at_s`.

    Args:
        frames: The footage around the moment, from a key frame on.
        at_s: The wished moment, on CLOCK_MONOTONIC.
        target: The JPEG.

    Raises:
        NoFootage: no decodable frame lies within `REACH_S`.
        OSError: the disk does not take it.
    """
    shot = nearest_shot(frames, at_s, REACH_S)
    jpeg = to_jpeg(shot.picture)
    with complete_file(target) as part:
        part.write_bytes(jpeg)
        sha256 = sha256_of(part)
    return Still(target, sha256, len(jpeg), shot.taken_s)


def nearest_shot(frames: Iterable[Packet], at_s: float, reach_s: float) -> Shot:
    """The picture nearest to `at_s`, of frames that begin with a key frame.

    Raises:
        NoFootage: no decodable frame lies within `reach_s`.
    """
    group: list[Packet] = []
    best: list[Packet] = []
    for frame in frames:
        group = [frame] if frame.keyframe else [*group, frame]
        if not best or abs(frame.taken_s - at_s) <= abs(best[-1].taken_s - at_s):
            best = group
    if not best or abs(best[-1].taken_s - at_s) > reach_s:
        msg = f"no frame within {reach_s:.0f} s of the moment is stored"
        raise NoFootage(msg)
    return Shot(decode_last(best), best[-1].taken_s)


def decode_last(group: list[Packet]) -> av.VideoFrame:
    """The last picture of frames that begin with a key frame.

    Raises:
        NoFootage: they cannot be decoded.
    """
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1  # frame threads would hold pictures back
    try:
        pictures = [picture for frame in group for picture in decoder.decode(av.Packet(frame.data))]
        pictures += decoder.decode(None)
    except av.FFmpegError as error:
        msg = f"the frame of this moment cannot be decoded: {error}"
        raise NoFootage(msg) from error
    if not pictures:
        msg = "the frame of this moment holds no picture"
        raise NoFootage(msg)
    return pictures[-1]


def to_jpeg(picture: av.VideoFrame, max_bytes: int = MAX_BYTES) -> bytes:
    """The picture as a JPEG of at most `max_bytes`: first coarser, then smaller, until it fits."""
    width, height = picture.width, picture.height
    while True:
        scaled = picture.reformat(width, height, format="yuvj420p")
        for quality in QUALITIES:
            jpeg = _encode(scaled, quality)
            if len(jpeg) <= max_bytes or min(width, height) < LEAST_SIDE_PX:
                return jpeg
        width, height = width // 4 * 2, height // 4 * 2


def _encode(picture: av.VideoFrame, quality: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1)
    encoder.options = {"qmin": str(quality), "qmax": str(quality)}
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
