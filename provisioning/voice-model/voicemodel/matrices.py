"""Kaldi's binary matrices: whole, or compressed to 16 or 8 bits a number.

Byte for byte from Kaldi's `src/matrix/compressed-matrix.{h,cc}` (Apache 2.0; read at commit f1dc464). Wherever Kaldi
reads a matrix it looks at the first letter: "F" is a whole one ("FM"), "C" a compressed one, made whole as it is read
(`Matrix<Real>::Read`). So components of a network may hold either kind, and computing costs the same.

The compressed kinds begin with their token and four numbers without a size byte before them: the least number and the
extent (greatest less least) as 32-bit floats, the rows and the columns as 32-bit integers. Then:

* "CM2": 16 bits a number, row by row: `least + extent * code / 65535`.
* "CM3" (not written here): the same with 8 bits: one far number makes all others coarse.
* "CM": for each column four 16-bit codes of that kind, a, b, c and d in rising order; then column by column a byte for
  each row. Bytes 0 to 64 lie evenly from a to b, 64 to 192 from b to c, 192 to 255 from c to d. Kaldi puts b and c at
  the quartiles, as its features ask for it; a reader takes any. Here each column has whichever of `BENDS` fits it best.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]
    Corners = Numbers
    """Of each column, four: where its bytes 0, 64, 192 and 255 lie."""

MOST_16, MOST_8 = 65535, 255
LOW, HIGH = 64, 192
"""The bytes at the second and the third corner."""
BENDS = (None, 0.25, 0.1, 0.03)
"""Where the corners may be: evenly between the ends, or with this share of the numbers below and above them."""


class Stored(Enum):
    """How a network's weights are kept; the value is the bits of each."""

    WHOLE = 32
    TWO_BYTES = 16
    ONE_BYTE = 8


def matrix(values: ArrayLike, stored: Stored) -> bytes:
    """A matrix as Kaldi reads it.

    Raises:
        ValueError: it has no rows or columns, or a number in it is not finite: Kaldi would read neither.
    """
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 2 or not numbers.size or not np.isfinite(numbers).all():  # noqa: PLR2004
        msg = f"no matrix of finite numbers: its shape is {numbers.shape}"
        raise ValueError(msg)
    match stored:
        case Stored.WHOLE:
            return b"FM " + b"".join(b"\x04" + struct.pack("<i", side) for side in numbers.shape) + _floats(numbers)
        case Stored.TWO_BYTES:
            least, extent = _range(numbers)
            return b"CM2 " + _header(least, extent, numbers) + _codes(numbers, least, extent).astype("<u2").tobytes()
        case Stored.ONE_BYTE:
            return b"CM " + _columns(numbers)


def read(data: bytes) -> NDArray[np.float32]:
    """What Kaldi reads from `matrix`, of which this is the beginning."""
    return read_part(data)[0]


def read_part(data: bytes) -> tuple[NDArray[np.float32], int]:
    """A matrix at the beginning of these bytes, and how many of them it takes."""
    kind, _, rest = data.partition(b" ")
    begins = len(kind) + 1
    if kind == b"FM":
        rows, columns = (struct.unpack_from("<i", rest, at)[0] for at in (1, 6))
        return np.frombuffer(rest, "<f4", rows * columns, 10).reshape(rows, columns), begins + 10 + 4 * rows * columns
    least, extent, rows, columns = struct.unpack_from("<ffii", rest)
    at = struct.calcsize("<ffii")
    if kind == b"CM2":
        codes = np.frombuffer(rest, "<u2", rows * columns, at).reshape(rows, columns)
        return _decoded(codes, least, extent).astype(np.float32), begins + at + 2 * rows * columns
    corners = _decoded(np.frombuffer(rest, "<u2", 4 * columns, at).reshape(columns, 4), least, extent)
    steps = np.frombuffer(rest, "u1", rows * columns, at + 8 * columns).reshape(columns, rows)
    return _unbent(corners, steps).T.astype(np.float32), begins + at + columns * (8 + rows)


def _floats(numbers: Numbers) -> bytes:
    return numbers.astype("<f4").tobytes()


def _header(least: float, extent: float, numbers: Numbers) -> bytes:
    return struct.pack("<ffii", least, extent, *numbers.shape)


def _range(numbers: Numbers) -> tuple[float, float]:
    least = float(numbers.min())
    extent = float(numbers.max()) - least
    return least, extent or 1 + abs(least)  # of numbers that are all the same: as Kaldi does


def _codes(numbers: Numbers, least: float, extent: float) -> NDArray[np.int64]:
    return np.clip(np.rint((numbers - least) / extent * MOST_16), 0, MOST_16).astype(np.int64)


def _decoded(codes: NDArray[np.uint16] | NDArray[np.int64], least: float, extent: float) -> Numbers:
    return least + extent / MOST_16 * codes.astype(np.float64)


def _columns(numbers: Numbers) -> bytes:
    least, extent = _range(numbers)
    columns = numbers.T
    kept: list[tuple[NDArray[np.int64], NDArray[np.uint8]]] = []
    errors = []
    for bend in BENDS:
        codes = _rising(_codes(_corners(columns, bend), least, extent))
        corners = _decoded(codes, least, extent)
        steps = _bent(corners, columns)
        kept.append((codes, steps))
        errors.append(np.square(_unbent(corners, steps) - columns).sum(1))
    best = np.argmin(errors, axis=0)
    codes, steps = (np.stack([kept[choice][part][column] for column, choice in enumerate(best)]) for part in range(2))
    return _header(least, extent, numbers) + codes.astype("<u2").tobytes() + steps.astype("u1").tobytes()


def _corners(columns: Numbers, bend: float | None) -> Numbers:
    if bend is not None:
        return np.quantile(columns, (0.0, bend, 1 - bend, 1.0), axis=1).T
    ends = columns.min(1), columns.max(1)
    return np.stack([ends[0] + (ends[1] - ends[0]) * byte / MOST_8 for byte in (0, LOW, HIGH, MOST_8)], axis=1)


def _rising(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Corners at least a code apart, as Kaldi's own are, none of them past the last."""
    risen = codes.copy()
    for place in (1, 2, 3):
        risen[:, place] = np.maximum(risen[:, place], risen[:, place - 1] + 1)
    for place, most in enumerate(range(MOST_16 - 3, MOST_16 + 1)):
        risen[:, place] = np.minimum(risen[:, place], most)
    return risen


def _bent(corners: Corners, columns: Numbers) -> NDArray[np.uint8]:
    """The byte nearest to each number."""
    a, b, c, d = (corners[:, place, None] for place in range(4))
    low = np.clip(np.rint((columns - a) / (b - a) * LOW), 0, LOW)
    middle = np.clip(np.rint((columns - b) / (c - b) * (HIGH - LOW)), 0, HIGH - LOW) + LOW
    high = np.clip(np.rint((columns - c) / (d - c) * (MOST_8 - HIGH)), 0, MOST_8 - HIGH) + HIGH
    return np.where(columns < b, low, np.where(columns < c, middle, high)).astype(np.uint8)


def _unbent(corners: Corners, steps: NDArray[np.uint8]) -> Numbers:
    a, b, c, d = (corners[:, place, None] for place in range(4))
    at = steps.astype(np.float64)
    low = a + (b - a) * at / LOW
    middle = b + (c - b) * (at - LOW) / (HIGH - LOW)
    high = c + (d - c) * (at - HIGH) / (MOST_8 - HIGH)
    return np.where(at <= LOW, low, np.where(at <= HIGH, middle, high))
