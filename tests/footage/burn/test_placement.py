"""The caption's place: at its edge, in usual letters, and never below a mask."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.footage.burn.masks import CELL_PX, Cells, covered_cells
from agent.footage.burn.placement import LEAST_PX, NEEDED_EMS, Spot, caption_spot

if TYPE_CHECKING:
    from collections.abc import Sequence

    Box = tuple[float, float, float, float]

TOP, BOTTOM, LEFT, RIGHT = (0, 0, 1, 0.1), (0, 0.9, 1, 1), (0, 0, 0.2, 1), (0.8, 0, 1, 1)
SHARES = st.floats(0, 1)


def masked(*boxes: Box, width_px: int = 640, height_px: int = 360) -> Cells:
    """A picture with these boxes masked: left, top, right, bottom as shares."""
    corners = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
    masks = [covered_cells(points, width_px, height_px) for points in corners]
    return reduce(or_, masks, Cells.none(width_px, height_px))


def covers(cells: Cells, place: Spot) -> bool:
    rows = cells.rows[place.top_px // CELL_PX : (place.top_px + place.height_px) // CELL_PX]
    columns = ((1 << place.width_px // CELL_PX) - 1) << place.left_px // CELL_PX
    return any(row & columns for row in rows)


def test_without_masks_it_lies_at_its_edge_over_the_whole_width() -> None:
    top, bottom = caption_spot(masked(), "top"), caption_spot(masked(), "bottom")
    assert top == Spot(0, 0, 640, 16, 10)
    assert bottom == Spot(0, 344, 640, 16, 10)


@pytest.mark.parametrize(("height_px", "letters_px"), [(180, 9), (360, 10), (720, 20), (1080, 30), (2160, 60)])
def test_letters_grow_with_the_picture(height_px: int, letters_px: int) -> None:
    place = caption_spot(masked(width_px=height_px * 16 // 9, height_px=height_px), "top")
    assert place
    assert place.letters_px == letters_px


def test_it_moves_inwards_from_an_edge_that_is_masked() -> None:
    below, above = caption_spot(masked(TOP), "top"), caption_spot(masked(BOTTOM), "bottom")
    assert below
    assert below.top_px == 38, "the mask ends at 36, between two cells: it covers both"
    assert above
    assert above.top_px + above.height_px == 322


def test_it_stands_between_masks_at_both_sides() -> None:
    place = caption_spot(masked(LEFT, RIGHT), "top")
    assert place
    assert (place.left_px, place.top_px, place.left_px + place.width_px) == (130, 0, 510)


def test_it_moves_inwards_for_the_names_but_never_deep_into_the_picture() -> None:
    for depth, top_px in ((0.1, 38), (0.5, 0)):
        place = caption_spot(masked((0, 0, 0.4, depth)), "top")
        assert place
        assert place.top_px == top_px


def test_it_takes_smaller_letters_only_where_the_usual_ones_have_no_place_at_all() -> None:
    place = caption_spot(masked(LEFT, (0.65, 0, 1, 1)), "top")
    assert place
    assert place.letters_px == LEAST_PX
    lower = caption_spot(masked((0, 0, 0.2, 0.5), (0.65, 0, 1, 0.5)), "top")
    assert lower
    assert (lower.letters_px, lower.width_px) == (10, 640), "below both"


def test_masks_that_leave_no_place_are_told() -> None:
    assert caption_spot(masked((0, 0, 0.7, 1)), "top") is None
    assert caption_spot(masked((0, 0, 1, 1)), "bottom") is None


def test_a_picture_too_small_for_it_has_no_place() -> None:
    assert caption_spot(masked(width_px=NEEDED_EMS * LEAST_PX, height_px=180), "top") is None
    assert caption_spot(masked(width_px=640, height_px=8), "top") is None


@settings(deadline=None)
@given(st.lists(st.tuples(SHARES, SHARES, SHARES, SHARES), max_size=4), st.sampled_from(["top", "bottom"]))
def test_no_mask_touches_it_wherever_they_are(boxes: Sequence[Box], edge: Literal["top", "bottom"]) -> None:
    cells = masked(*boxes, width_px=320, height_px=180)
    place = caption_spot(cells, edge)
    if place is not None:
        assert not covers(cells, place)
        assert place.width_px >= NEEDED_EMS * place.letters_px
        assert place.left_px + place.width_px <= 320
        assert place.top_px + place.height_px <= 180
