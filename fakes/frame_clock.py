"""The clock that every simulated picture carries: a machine reads from it which frame it is and when it was taken.

Two rows of black and white cells along the bottom edge hold the frame number, the moment on CLOCK_MONOTONIC and a
checksum. A cell is read at its middle only, so it survives H.264 at a low bit rate and JPEG at a low quality.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
"""A picture's brightness: rows x columns."""

CELLS_A_ROW, ROWS = 48, 2
"""96 bits: 32 of frame number, 48 of milliseconds (8900 years), 16 of checksum."""
CELL_LEAST_PX = 4
"""A smaller cell drowns in one 8 x 8 transform block together with its neighbours."""
BLACK, WHITE = 16, 235
"""The ends of video's limited luma range (ITU-R BT.601)."""


@dataclass(frozen=True)
class FrameClock:
    """What one picture says about itself."""

    number: int
    """Pictures the camera took before this one."""
    taken_ms: int
    """When it was taken, on CLOCK_MONOTONIC."""

    def to_bits(self) -> NDArray[np.uint8]:
        """The cells, row after row: 1 is white."""
        body = struct.pack(">I", self.number) + self.taken_ms.to_bytes(6, "big")
        return np.unpackbits(np.frombuffer(body + _checksum(body), dtype=np.uint8))


def _checksum(body: bytes) -> bytes:
    return struct.pack(">H", binascii.crc_hqx(body, 0xFFFF))


def _cell_px(height: int, width: int) -> tuple[int, int]:
    cell_height, cell_width = max(height // 60, CELL_LEAST_PX), width // CELLS_A_ROW
    if cell_width < CELL_LEAST_PX or height < 2 * ROWS * cell_height:
        msg = f"a picture of {width} x {height} pixels is too small for a frame clock: it needs {CELLS_A_ROW * 4} x 16"
        raise ValueError(msg)
    return cell_height, cell_width


def draw_frame_clock(luma: Luma, clock: FrameClock) -> None:
    """Draw the clock into the picture's bottom edge.

    Raises:
        ValueError: the picture is too small to carry one.
    """
    height, width = luma.shape
    cell_height, cell_width = _cell_px(height, width)
    cells = np.where(clock.to_bits().reshape(ROWS, CELLS_A_ROW) == 1, WHITE, BLACK).astype(np.uint8)
    drawn = cells.repeat(cell_height, axis=0).repeat(cell_width, axis=1)
    luma[height - ROWS * cell_height :, : CELLS_A_ROW * cell_width] = drawn


def read_frame_clock(luma: Luma) -> FrameClock:
    """Read the clock of a decoded picture.

    Raises:
        ValueError: there is no clock in it, or it cannot be read.
    """
    height, width = luma.shape
    cell_height, cell_width = _cell_px(height, width)
    rows = height - ROWS * cell_height + cell_height // 2 + cell_height * np.arange(ROWS)
    columns = cell_width // 2 + cell_width * np.arange(CELLS_A_ROW)
    bits = luma[np.ix_(rows, columns)] > (BLACK + WHITE) // 2
    code = np.packbits(bits.reshape(-1)).tobytes()
    body, checksum = code[:-2], code[-2:]
    if checksum != _checksum(body):
        msg = "the picture carries no readable frame clock"
        raise ValueError(msg)
    return FrameClock(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:], "big"))
