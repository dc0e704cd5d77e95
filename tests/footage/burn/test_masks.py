"""Which cells a mask covers, held against slow arithmetic with exact fractions that shares no line with it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.footage.burn.masks import CELL_PX, Cells, covered_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    Points = Sequence[tuple[float, float]]
    Exact = tuple[Fraction, Fraction]

WIDTH_PX, HEIGHT_PX = 16, 10
COLUMNS, ROWS = WIDTH_PX // CELL_PX, HEIGHT_PX // CELL_PX
MUCH = Fraction(1, 100_000)
"""In cells: a mask may cover a cell that it misses by less than this."""


def covered(points: Points) -> set[tuple[int, int]]:
    """The covered cells of a small picture, each as column and row."""
    cells = covered_cells(points, WIDTH_PX, HEIGHT_PX)
    assert (cells.columns, len(cells.rows)) == (COLUMNS, ROWS)
    assert all(row < 1 << COLUMNS for row in cells.rows), "nothing is covered right of the picture"
    return {(x, y) for y, row in enumerate(cells.rows) for x in range(COLUMNS) if row >> x & 1}


def touched(points: Points, grown: Fraction) -> set[tuple[int, int]]:
    """The cells, each grown by this much to all sides, that the closed polygon touches."""
    corners = [(Fraction(x) * COLUMNS, Fraction(y) * ROWS) for x, y in points]
    edges = list(pairwise([*corners, corners[0]]))
    cells = [(x, y) for x in range(COLUMNS) for y in range(ROWS)]
    return {cell for cell in cells if any(_meets(*edge, *cell, grown) for edge in edges) or _winds(edges, *cell)}


def _meets(start: Exact, end: Exact, column: int, row: int, grown: Fraction) -> bool:
    """Whether a line has a point in common with a grown cell: what is left of it after clipping at all four sides."""
    first, last = Fraction(0), Fraction(1)
    for axis, low in enumerate((column, row)):
        length = end[axis] - start[axis]
        sides = low - grown, low + 1 + grown
        if length == 0:
            if not sides[0] <= start[axis] <= sides[1]:
                return False
            continue
        enters, leaves = sorted((side - start[axis]) / length for side in sides)
        first, last = max(first, enters), min(last, leaves)
    return first <= last


def _winds(edges: list[tuple[Exact, Exact]], column: int, row: int) -> bool:
    """Whether the outline winds around the middle of a cell: quarter turns of the ray to it, summed up."""
    mx, my = column + Fraction(1, 2), row + Fraction(1, 2)
    turns = 0
    for (ax, ay), (bx, by) in edges:
        was, now = _quarter(ax - mx, ay - my), _quarter(bx - mx, by - my)
        step = (now - was) % 4
        if step == 2:
            step = 2 if (ax - mx) * (by - my) > (ay - my) * (bx - mx) else -2
        turns += -1 if step == 3 else step
    return turns != 0


def _quarter(x: Fraction, y: Fraction) -> int:
    if y > 0 or (y == 0 and x > 0):
        return 0 if x > 0 else 1
    return 2 if x < 0 else 3


SHARES = st.one_of(
    st.floats(-0.5, 1.5, allow_nan=False),
    st.integers(-COLUMNS, 2 * COLUMNS).map(lambda n: n / COLUMNS),
    st.integers(-2 * ROWS, 4 * ROWS).map(lambda n: n / ROWS / 2),
)
"""Anywhere in and around the picture, often exactly on the borders and middles of cells."""
POLYGONS = st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=8)


@settings(deadline=None)  # the machine may be busy
@given(POLYGONS)
@example([(0, 0), (1, 1), (0, 1), (1, 0)])  # a bow tie
@example([(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.1), (0.4, 0.4), (0.4, 0.6), (0.6, 0.6), (0.6, 0.4)])
@example([(0.1, 0.1), (0.9, 0.2), (0.5, 0.3), (0.9, 0.9)])  # concave
@example([(0.5, 0.5), (0.5, 0.5), (0.5, 0.5)])
@example([(0.2, 0.5), (0.8, 0.5), (0.4, 0.5)])
@example([(5e-324, 0.5), (1, 0.5), (0.5, 0.5 + 1e-17)])
def test_a_cell_is_covered_if_and_only_if_the_polygon_touches_it(points: Points) -> None:
    assert touched(points, Fraction(0)) <= covered(points) <= touched(points, MUCH)


@settings(deadline=None)
@given(POLYGONS)
def test_neither_the_first_corner_nor_the_direction_of_the_outline_matters(points: Points) -> None:
    assert covered(points) == covered([*points[2:], *points[:2]]) == covered(list(reversed(points)))


def test_a_mask_of_the_whole_picture_covers_all_of_it() -> None:
    assert len(covered([(0, 0), (1, 0), (1, 1), (0, 1)])) == COLUMNS * ROWS


def test_a_mask_thinner_than_a_pixel_covers_the_cells_that_it_lies_in() -> None:
    sliver = [(0.0, 0.51), (1.0, 0.51), (1.0, 0.5101)]
    assert covered(sliver) == {(x, int(0.51 * ROWS)) for x in range(COLUMNS)}


def test_a_mask_smaller_than_a_pixel_covers_its_cell() -> None:
    assert covered([(0.51, 0.51), (0.511, 0.51), (0.51, 0.511)]) == {(4, 2)}


def test_a_mask_that_ends_between_two_cells_covers_both() -> None:
    assert covered([(0, 0), (0.5, 0), (0.5, 0.1), (0, 0.1)]) == {(x, 0) for x in range(COLUMNS // 2 + 1)}


def test_where_an_outline_crosses_itself_both_sides_are_covered() -> None:
    star = [(0.5, 0.0), (0.8, 1.0), (0.0, 0.4), (1.0, 0.4), (0.2, 1.0)]
    assert (COLUMNS // 2, ROWS // 2) in covered(star), "the middle, which the outline winds around twice"


def test_a_mask_beside_the_picture_covers_nothing() -> None:
    assert not covered([(1.2, 0.2), (1.4, 0.2), (1.4, 0.8)])
    assert not covered([(-0.2, 0.2), (-0.4, 0.2), (-0.4, 0.8)])


def test_a_mask_around_the_picture_covers_all_of_it() -> None:
    assert len(covered([(-9, -9), (9, -9), (9, 9), (-9, 9)])) == COLUMNS * ROWS


@pytest.mark.parametrize("nowhere", [float("nan"), float("inf"), -float("inf")])
def test_a_corner_that_is_nowhere_is_refused(nowhere: float) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        covered_cells([(0, 0), (0.5, nowhere), (1, 1)], WIDTH_PX, HEIGHT_PX)


def test_a_picture_of_an_odd_size_has_a_cell_for_its_last_pixels() -> None:
    assert Cells.none(5, 3) == Cells(3, (0, 0))
    assert covered_cells([(0, 0), (1, 0), (1, 1), (0, 1)], 5, 3) == Cells(3, (7, 7))


def test_two_masks_cover_what_either_does() -> None:
    left, right = covered_cells([(0, 0), (0.3, 0), (0, 1)], 24, 14), covered_cells([(1, 0), (0.7, 0), (1, 1)], 24, 14)
    assert (left | right).rows == tuple(a | b for a, b in zip(left.rows, right.rows, strict=True))
    with pytest.raises(ValueError, match="zip"):
        left | Cells.none(24, 16)
