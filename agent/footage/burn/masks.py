"""Which parts of a picture a mask covers: pure geometry of polygons over a grid of cells.

A cell is two by two pixels, the piece of a picture that has one colour (YUV 4:2:0): brightness alone, or colour alone,
would leave a ghost. A cell that a polygon touches at all is covered as a whole, so rounding only ever covers more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import floor, isfinite
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Point = tuple[float, float]
    Edge = tuple[Point, Point]

CELL_PX = 2
"""Side of a cell."""
SLACK = 1e-6
"""In cells: who comes as near as this to a cell touches it. Far more than the rounding errors of a float (1e-12 cells),
so that they never uncover anything, and far less than anybody could see."""


@dataclass(frozen=True)
class Cells:
    """A picture's cells, some of them covered."""

    columns: int
    rows: tuple[int, ...]
    """Each row of cells from the top: bit n is the n-th cell from the left, set when it is covered."""

    @classmethod
    def none(cls, width_px: int, height_px: int) -> Self:
        """A picture of this size with nothing covered."""
        return cls(-(-width_px // CELL_PX), (0,) * -(-height_px // CELL_PX))

    def __or__(self, other: Cells) -> Cells:
        """What either covers, of the same picture."""
        rows = tuple(mine | theirs for mine, theirs in zip(self.rows, other.rows, strict=True))
        return Cells(self.columns, rows)


def covered_cells(points: Sequence[Point], width_px: int, height_px: int) -> Cells:
    """The cells of a picture of this size that a polygon touches.

    Its inside is whatever its outline winds around: where the outline crosses itself both sides of the crossing are
    inside, and a polygon without an area is the line that it is. What lies outside of the picture covers nothing.

    Args:
        points: Its corners, as shares of the picture's width and height from the upper left corner.
        width_px: Of the picture.
        height_px: Of the picture.

    Raises:
        ValueError: a corner is nowhere: covering nothing for it would be a mask that fails open.
    """
    if not all(isfinite(share) for point in points for share in point):
        msg = f"a mask has a corner that is nowhere: {points}"
        raise ValueError(msg)
    nothing = Cells.none(width_px, height_px)
    rows = list(nothing.rows)
    outline = [(x * width_px / CELL_PX, y * height_px / CELL_PX) for x, y in points]
    crossings: list[list[tuple[float, int]]] = [[] for _ in rows]
    for edge in pairwise([*outline, outline[0]]):
        for row in _rows_of(edge, len(rows)):
            left, right = _reach(edge, row - SLACK, row + 1 + SLACK)
            rows[row] |= _span(left - SLACK, right + SLACK, nothing.columns)
            crossings[row] += _crossing(edge, row + 0.5)
    for row, crossed in enumerate(crossings):
        for left, right in _inside(crossed):
            rows[row] |= _span(left, right, nothing.columns)
    return Cells(nothing.columns, tuple(rows))


def _rows_of(edge: Edge, rows: int) -> range:
    """The rows that this edge touches."""
    top, bottom = sorted((edge[0][1], edge[1][1]))
    return range(max(0, floor(top - SLACK)), min(rows, floor(bottom + SLACK) + 1))


def _reach(edge: Edge, top: float, bottom: float) -> tuple[float, float]:
    """How far left and right the part of this edge between two heights reaches."""
    (x0, y0), (x1, y1) = edge
    if y0 == y1:
        return min(x0, x1), max(x0, x1)
    ends = [x0 + (x1 - x0) * min(max((y - y0) / (y1 - y0), 0), 1) for y in (top, bottom)]
    return min(ends), max(ends)


def _crossing(edge: Edge, y: float) -> Iterator[tuple[float, int]]:
    """Where, and in which direction, this edge crosses this height; a corner that lies on it counts once."""
    (x0, y0), (x1, y1) = edge
    if (y0 <= y) != (y1 <= y):
        yield x0 + (x1 - x0) * (y - y0) / (y1 - y0), 1 if y1 > y0 else -1


def _inside(crossed: Iterable[tuple[float, int]]) -> Iterator[tuple[float, float]]:
    """From where to where a row's middle lies inside; the cells at both ends are touched by the outline itself."""
    turns = 0
    for (left, direction), (right, _) in pairwise(sorted(crossed)):
        turns += direction
        if turns:
            yield left, right


def _span(left: float, right: float, columns: int) -> int:
    """The cells from one place to the other, as far as the picture goes."""
    first, last = max(floor(left), 0), min(floor(right), columns - 1)
    return (1 << last + 1) - (1 << first) if first <= last else 0
