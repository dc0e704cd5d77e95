"""Reads a burned-in caption back from a decoded picture, without knowing what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.footage.burn.caption import LETTERS, Lettering
from agent.footage.burn.placement import MARGIN_PX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.footage.burn.placement import Spot

STRANGE = 40.0**2
"""Squared difference a pixel from which on a column is no letter at all, but the street beside the caption."""
NOT_A_LETTER = "\N{REPLACEMENT CHARACTER}"


def read_caption(luma: NDArray[np.uint8], spot: Spot) -> str:
    """The text whose letters, drawn side by side, come nearest to what the picture shows in this place."""
    lettering = Lettering(spot.letters_px, spot.height_px)
    strips = {letter: lettering.write(letter).astype(np.float64) for letter in LETTERS}
    seen = luma[spot.top_px :, spot.left_px + MARGIN_PX :][: spot.height_px, : spot.width_px].astype(np.float64)
    columns = seen.shape[1]
    errors = {letter: _errors(seen, strip) for letter, strip in strips.items()}
    best = np.full(columns + 1, np.inf)
    best[0] = 0.0
    came_by: list[tuple[int, str]] = [(0, "")] * (columns + 1)
    for x in range(columns):
        ways = [(letter, strips[letter].shape[1], errors[letter][x]) for letter in LETTERS if x < len(errors[letter])]
        for letter, width, error in [*ways, (NOT_A_LETTER, 1, STRANGE * spot.height_px)]:
            if best[x] + error < best[x + width]:
                best[x + width], came_by[x + width] = best[x] + error, (x, letter)
    text, x = "", columns
    while x > 0:
        x, letter = came_by[x]
        text = letter + text
    return text.split(NOT_A_LETTER)[0].rstrip(" `'")  # a dim column of the street beside the black looks like an accent


def _errors(seen: NDArray[np.float64], strip: NDArray[np.float64]) -> NDArray[np.float64]:
    """The summed squared difference of this letter to the picture, for each column at which it could begin."""
    windows = np.lib.stride_tricks.sliding_window_view(seen, strip.shape[1], axis=1)
    errors: NDArray[np.float64] = ((windows - strip[:, None, :]) ** 2).sum(axis=(0, 2))
    return errors
