"""The one format of stored footage: MPEG-TS with a single H.264 stream on the unit's monotonic clock.

Measured against fragmented MP4 and Matroska it is the one that loses nothing when its writer is killed and a tenth of
a second when it is cut at any byte (camera-lab section 3). Written by FFmpeg's muxer, so that any player shows a
segment. Read by the few lines below, because FFmpeg's demuxer decodes pictures before it gives the first packet and
cannot say whether the last one is whole. A clip of five minutes is 400,000 cells: those in the middle of frames, which
are nearly all, are recognised by NumPy and copied at once; each of the others is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

import av
import numpy as np

from agent.hw.kit import Packet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

TICKS_A_SECOND = 90_000
"""The clock of MPEG-TS timestamps."""
TIME_BASE = Fraction(1, TICKS_A_SECOND)
WRAP_TICKS = 1 << 33
"""Timestamps have 33 bits: they begin again after 26.5 h of uptime, and are read relative to a known moment."""

CELL_BYTES = 188
"""A transport packet; called a cell here, since packets are frames elsewhere in the agent."""
SYNC = 0x47
VIDEO_PID = 0x100
"""Where FFmpeg's muxer puts the first stream."""
NULL_CELL = bytes((SYNC, 0x1F, 0xFF, 0x10)) + b"\xff" * (CELL_BYTES - 4)
"""Padding by the standard: after each frame, it proves that all of the frame came before it. 1 % of 2 Mbit/s."""

HEADER_BYTES = 4
HAS_ADAPTATION, HAS_PAYLOAD, RANDOM_ACCESS = 0x20, 0x10, 0x40
COUNTER = 0x0F
MIDDLE, MIDDLE_MASK = SYNC << 24 | VIDEO_PID << 8 | HAS_PAYLOAD, 0xFFFF_FFF0
"""The header of a cell that is all payload and begins nothing; its counter is not looked at."""
CARRIES_MASK = 0xFF1F_FF10
"""Of `MIDDLE`, what any cell with a part of a frame has."""
PES_START = b"\x00\x00\x01\xe0"
PES_FIXED_BYTES = 9
READ_CELLS = 2048
"""Cells read from the disk at a time: 385 kB, about a second of footage at the highest bit rates."""


class FrameMuxer:
    """Turns the frames of one segment into bytes, frame by frame, and never touches a disk itself."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._container = av.open(
            self,
            "w",
            format="mpegts",
            # a table each second instead of ten pays for the null cells; absolute timestamps need copyts
            options={"flush_packets": "1", "mpegts_copyts": "1", "pat_period": "1", "sdt_period": "60"},
        )
        self._stream = self._container.add_mux_stream("h264", time_base=TIME_BASE)

    def write(self, data: bytes) -> int:
        """Take what the muxer puts out: we are its file."""
        self._bytes += data
        return len(data)

    def mux(self, frame: Packet) -> bytes:
        """All bytes of this frame."""
        packet = av.Packet(frame.data)
        packet.stream = self._stream
        packet.time_base = TIME_BASE
        packet.pts = packet.dts = round(frame.taken_s * TICKS_A_SECOND)
        packet.is_keyframe = frame.keyframe
        self._container.mux(packet)
        muxed = bytes(self._bytes) + NULL_CELL
        self._bytes.clear()
        return muxed

    def close(self) -> None:
        """Free the muxer; it has nothing left to say."""
        self._container.close()


@dataclass
class _Open:
    """A frame whose end has not been seen."""

    keyframe: bool
    cells: bytearray


def read_frames(file: BinaryIO, near_s: float, frame_s: float, *, from_key_frame: bool = True) -> Iterator[Packet]:
    """Yield the whole frames of a segment, from where the file stands.

    A frame is whole when anything at all follows it. Where cells are torn or missing, everything is left out up to the
    next key frame, since nothing in between can be decoded truly.

    Args:
        file: The segment; may still be growing, may be cut anywhere.
        near_s: A moment within 13 hours of its frames, which tells one round of the timestamps from the next.
        frame_s: From one of its frames to the next, as its name says.
        from_key_frame: False begins with the very first frame, for who wants its moment and not its picture.
    """
    frame: _Open | None = None
    counter: int | None = None
    decodable = not from_key_frame
    for cell, more in _pieces(file):
        if cell[0] != SYNC:
            frame, decodable, counter = None, False, None
            continue
        begins = bool(cell[1] & 0x40)
        on_video = (cell[1] & 0x1F) << 8 | cell[2] == VIDEO_PID
        if frame is not None and (begins or not on_video):
            packet = _finish(frame, near_s, frame_s)
            decodable = packet is not None and (decodable or packet.keyframe)
            if packet is not None and decodable:
                yield packet
            frame = None
        if not on_video or not cell[3] & HAS_PAYLOAD:
            continue
        if counter is not None and cell[3] & COUNTER != (counter + 1) & COUNTER:
            frame, decodable = None, False
        counter = cell[3] + len(more) // (CELL_BYTES - HEADER_BYTES) & COUNTER
        payload = HEADER_BYTES + (1 + cell[4] if cell[3] & HAS_ADAPTATION else 0)
        if begins:
            keyframe = bool(cell[3] & HAS_ADAPTATION and cell[4] and cell[5] & RANDOM_ACCESS)
            frame = _Open(keyframe, bytearray())
        if frame is not None:
            frame.cells += cell[payload:]
            frame.cells += more


def _pieces(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield each cell that has to be looked at, with the payload of all that plainly follow on from it."""
    while block := file.read(READ_CELLS * CELL_BYTES):
        whole = len(block) // CELL_BYTES
        cells = np.frombuffer(block, np.uint8, whole * CELL_BYTES).reshape(whole, CELL_BYTES)
        looked_at = np.flatnonzero(~_follow_on(cells)).tolist()
        for at, following in pairwise([*looked_at, whole]):
            yield block[at * CELL_BYTES : (at + 1) * CELL_BYTES], cells[at + 1 : following, HEADER_BYTES:].tobytes()
        if len(block) < READ_CELLS * CELL_BYTES:
            return  # the end of what was on the disk: reading on while it grows would begin inside a cell


def _follow_on(cells: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which cells are from the middle of the frame of the cell before them, with none missing between."""
    headers = cells[:, :HEADER_BYTES].copy().view(">u4")[:, 0].astype(np.uint32)
    follow: NDArray[np.bool_] = headers & MIDDLE_MASK == MIDDLE
    follow[1:] &= headers[:-1] & CARRIES_MASK == MIDDLE
    follow[1:] &= headers[1:] & COUNTER == (headers[:-1] + 1) & COUNTER
    follow[:1] = False  # what came before it is not seen here
    return follow


def _finish(frame: _Open, near_s: float, frame_s: float) -> Packet | None:
    """The frame of these cells' payload, or None when it is not one of ours."""
    pes = frame.cells
    if len(pes) < PES_FIXED_BYTES + 5 or not pes.startswith(PES_START) or not pes[7] & 0x80:
        return None
    high, middle, low = pes[9], int.from_bytes(pes[10:12], "big"), int.from_bytes(pes[12:14], "big")
    ticks = (high >> 1 & 0x07) << 30 | middle >> 1 << 15 | low >> 1
    data = bytes(memoryview(pes)[PES_FIXED_BYTES + pes[8] :])
    return Packet(data, frame.keyframe, unwrap(ticks, near_s) / TICKS_A_SECOND, frame_s)


def unwrap(ticks: int, near_s: float) -> int:
    """The full timestamp of a 33-bit one, by a moment that lies within 13 hours of it."""
    near = round(near_s * TICKS_A_SECOND)
    half = WRAP_TICKS // 2
    return near + (ticks - near + half) % WRAP_TICKS - half
