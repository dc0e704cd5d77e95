"""How sharp a picture is, from the picture alone. Pure.

Across a sharp edge all of the change lies between two neighbouring pixels; across a blurred one it is spread over
several. So wherever much changes over two pixels, the energy of that change is compared with the energies of its two
halves: as much where all of it lies in one half, twice as much on a slope. Light and contrast do not change that.
What the unit draws into its pictures itself is sharp before any lens, a covered one too: it is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGE_LUMA: Final = 24.0
"""Change over two pixels from which on it is an edge, not noise."""
LEAST_EDGES: Final = 200
"""Fewer such pixels say nothing: fog, a bare wall, or a lens that is quite out of focus."""
BLURRED_BELOW: Final = 15
"""Per cent. An edge that is blurred over half a pixel (Gaussian, standard deviation) has 54, over one 21, over one and
a half 11. Computed for such edges, not measured on lenses: of two positions of a lens the one with more is better."""


BLEED_PX: Final = 8
"""How far around a letter or a mask's rim its encoder still leaves traces: one block of H.264's larger transform."""


def focus_score(luma: NDArray[np.uint8], drawn: NDArray[np.bool_] | None = None) -> int | None:
    """Sharpness in per cent, from 0 (a slope) to 100 (as sharp as pixels can be); None: nothing to judge by.

    Args:
        luma: The picture's brightness.
        drawn: Where the unit itself drew into it (`agent.footage.burn.overlay.drawn_over`).

    Raises:
        ValueError: they are not of one size.
    """
    plane = luma.astype(np.float32)
    out = np.zeros(luma.shape, dtype=np.bool_) if drawn is None else _with_traces(drawn)
    if out.shape != luma.shape:
        msg = f"the picture has {luma.shape[1]} x {luma.shape[0]} pixels, the camera {out.shape[1]} x {out.shape[0]}"
        raise ValueError(msg)
    one, two, edges = 0.0, 0.0, 0
    for picture, left_out in ((plane, out), (plane.T, out.T)):
        over_two = picture[:, 2:] - picture[:, :-2]
        strong = (np.abs(over_two) >= EDGE_LUMA) & ~left_out[:, 1:-1]
        halves = np.square(picture[:, 1:-1] - picture[:, :-2]) + np.square(picture[:, 2:] - picture[:, 1:-1])
        two += float(np.square(over_two)[strong].sum())
        one += float(halves[strong].sum())
        edges += int(strong.sum())
    if edges < LEAST_EDGES or one == 0:
        return None
    return round(100 * min(1.0, max(0.0, 2 - two / one)))


def _with_traces(drawn: NDArray[np.bool_]) -> NDArray[np.bool_]:
    wider = Image.fromarray(drawn.astype(np.uint8)).filter(ImageFilter.MaxFilter(2 * BLEED_PX + 1))
    return np.asarray(wider).astype(np.bool_)
