"""How sharp a picture is, from the picture alone. Pure.

Across a sharp edge all of the change lies between two neighbouring pixels; across a blurred one it is spread over
several. So wherever much changes over two pixels, the energy of that change is compared with the energies of its two
halves: as much where all of it lies in one half, twice as much on a slope. Light and contrast do not change that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGE_LUMA: Final = 24.0
"""Change over two pixels from which on it is an edge, not noise."""
LEAST_EDGES: Final = 200
"""Fewer such pixels say nothing: fog, a bare wall, or a lens that is quite out of focus."""
BLURRED_BELOW: Final = 15
"""Per cent. An edge that is blurred over half a pixel (Gaussian, standard deviation) has 54, over one 21, over one and
a half 11. Computed for such edges, not measured on lenses: of two positions of a lens the one with more is better."""


def focus_score(luma: NDArray[np.uint8]) -> int | None:
    """Sharpness in per cent, from 0 (a slope) to 100 (as sharp as pixels can be); None: nothing to judge by."""
    plane = luma.astype(np.float32)
    one, two, edges = 0.0, 0.0, 0
    for picture in (plane, plane.T):
        over_two = picture[:, 2:] - picture[:, :-2]
        strong = np.abs(over_two) >= EDGE_LUMA
        halves = np.square(picture[:, 1:-1] - picture[:, :-2]) + np.square(picture[:, 2:] - picture[:, 1:-1])
        two += float(np.square(over_two)[strong].sum())
        one += float(halves[strong].sum())
        edges += int(strong.sum())
    if edges < LEAST_EDGES or one == 0:
        return None
    return round(100 * min(1.0, max(0.0, 2 - two / one)))
