"""Where the caption goes: along its edge of the picture, beside everything that a mask covers.

Masks are drawn last and win over the caption, so a caption below one would be lost without anybody noticing. It takes
the nearest place to its edge that no mask touches; a configuration that leaves it none is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agent.footage.burn.masks import CELL_PX, Cells

if TYPE_CHECKING:
    from collections.abc import Iterable

USUAL_SHARE = 36
"""Letters are a 36th of the picture's height: read with ease, and the line covers 4 % of the picture."""
READABLE_PX, LEAST_PX = 10, 8
"""Letters of 10 pixels survive 500 kbit/s and those of 8 are still read by eye; nothing is drawn smaller than that."""
NEEDED_EMS = 34
"""Width, in letter heights, of the longest time that any zone has, with the longest word for the clock's quality:
what is never cut."""
WISHED_EMS = 60
"""Width, in letter heights, that most units' names have room in as well."""
OUTER_SHARE = 4
"""The names may move the caption inwards by no more than a quarter of the picture."""
MARGIN_PX = 2
"""Black around the letters, so that a bright scene does not bleed into them."""


@dataclass(frozen=True)
class Spot:
    """A free place for a line of text, in pixels; each side lies between cells."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int
    letters_px: int
    """Size of its letters."""


def caption_spot(covered: Cells, edge: Literal["top", "bottom"]) -> Spot | None:
    """The place for the caption of a picture, or None when there is none that it can be read in.

    Letters of the usual size further inside the picture are better than small ones at its edge.
    """
    height = len(covered.rows)
    usual_px = max(height * CELL_PX // USUAL_SHARE, READABLE_PX)
    for letters_px in range(usual_px, LEAST_PX - 1, -1):
        lines = _cells(letters_px * 13 // 10 + MARGIN_PX)
        tops = range(height - lines + 1)[:: 1 if edge == "top" else -1]
        wished, needed = (_cells(ems * letters_px + 2 * MARGIN_PX) for ems in (WISHED_EMS, NEEDED_EMS))
        wished = max(needed, min(wished, covered.columns))
        for places, width in ((tops[: height // OUTER_SHARE], wished), (tops, needed)):
            for top in places:
                left, free = _widest_gap(covered.rows[top : top + lines], covered.columns)
                if free >= width:
                    return Spot(left * CELL_PX, top * CELL_PX, free * CELL_PX, lines * CELL_PX, letters_px)
    return None


def _cells(pixels: int) -> int:
    return -(-pixels // CELL_PX)


def _widest_gap(rows: Iterable[int], columns: int) -> tuple[int, int]:
    """First cell and width of the widest place that is free in all of these rows."""
    taken = 0
    for row in rows:
        taken |= row
    from_left = f"{taken:0{columns}b}"[::-1]
    gaps = [(gap.end() - gap.start(), -gap.start()) for gap in re.finditer("0+", from_left)]
    width, left = max(gaps, default=(0, 0))
    return -left, width
