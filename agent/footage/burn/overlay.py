"""What is burned into every picture before it is encoded: first the caption, then, over everything, the masks."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent.footage.burn.caption import BLACK, Caption
from agent.footage.burn.masks import CELL_PX, Cells, covered_cells
from agent.footage.burn.placement import caption_spot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.clock import Clock
    from agent.config.filming import CameraSettings
    from agent.config.settings import UnitSettings
    from agent.hw.kit import Picture

COLOURLESS = 128
"""Both colour differences of black, grey and white."""


class Overlay:
    """The `agent.hw.kit.BurnIn` of one camera, called by one thread.

    Masks come last: whatever is drawn before them, now or by a later hand, they win. The caption stands beside them
    (`caption_spot`), so nobody has to choose between the two. Every failure is raised, and the picture with it refused.
    """

    def __init__(self, unit: UnitSettings, camera: CameraSettings, clock: Clock) -> None:
        """Work out where everything goes, once.

        Raises:
            ValueError: a mask cannot be drawn, or the masks leave the caption no place; `CameraSettings` refuses both.
        """
        size = camera.width_px, camera.height_px
        masks = [covered_cells(mask.points, *size) for mask in camera.masks]
        self._stencils = [_Stencil.of(covered) for covered in masks if any(covered.rows)]
        self._clock = clock
        self._shapes = (size[1], size[0]), (size[1] // CELL_PX, size[0] // CELL_PX)
        self._caption: Caption | None = None
        if camera.caption != "none":
            spot = caption_spot(reduce(or_, masks, Cells.none(*size)), camera.caption)
            if spot is None:
                msg = "the masks leave no place for the caption"
                raise ValueError(msg)
            self._caption = Caption(unit, camera.name, spot)
            self._top, self._left = spot.top_px, spot.left_px

    def __call__(self, picture: Picture, taken_s: float) -> None:
        """Draw into a picture taken at this monotonic moment; the time shown is that of the moment, not of now.

        Raises:
            ValueError: the picture is not of the camera's size, so that masks would lie in the wrong place.
        """
        if (picture.luma.shape, picture.cb.shape, picture.cr.shape) != (*self._shapes, self._shapes[1]):
            rows, columns = picture.luma.shape
            msg = f"a picture of {columns} x {rows} pixels came, not of the camera's {self._shapes[0][::-1]}"
            raise ValueError(msg)
        if self._caption is not None:
            line = self._caption.line(self._clock.at(taken_s))
            _stamp(picture, line, self._left, self._top)
        for stencil in self._stencils:
            stencil.blacken(picture)


def drawn_over(camera: CameraSettings) -> NDArray[np.bool_]:
    """Where in this camera's pictures an `Overlay` may have drawn: rows x columns of pixels."""
    covered = camera.covered()
    drawn = _as_array(covered).repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)
    spot = None if camera.caption == "none" else caption_spot(covered, camera.caption)
    if spot is not None:
        drawn[spot.top_px : spot.top_px + spot.height_px, spot.left_px : spot.left_px + spot.width_px] = True
    return drawn


def _stamp(picture: Picture, line: NDArray[np.uint8], left_px: int, top_px: int) -> None:
    bottom_px, right_px = top_px + line.shape[0], left_px + line.shape[1]
    picture.luma[top_px:bottom_px, left_px:right_px] = line
    cells = np.s_[top_px // CELL_PX : bottom_px // CELL_PX, left_px // CELL_PX : right_px // CELL_PX]
    picture.cb[cells] = COLOURLESS
    picture.cr[cells] = COLOURLESS


class _Stencil(NamedTuple):
    """One mask, ready to be laid over any picture of its size."""

    pixels: tuple[slice, slice]
    """The box around it."""
    cells: tuple[slice, slice]
    covered_pixels: NDArray[np.bool_]
    """What of the box it covers."""
    covered_cells: NDArray[np.bool_]

    @classmethod
    def of(cls, covered: Cells) -> _Stencil:
        """The stencil of these cells, of which there is at least one."""
        whole = _as_array(covered)
        rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        boxed = whole[top:bottom, left:right]
        return cls(
            np.s_[top * CELL_PX : bottom * CELL_PX, left * CELL_PX : right * CELL_PX],
            np.s_[top:bottom, left:right],
            boxed.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1),
            boxed,
        )

    def blacken(self, picture: Picture) -> None:
        """Leave nothing of what lies under it."""
        np.copyto(picture.luma[self.pixels], BLACK, where=self.covered_pixels)
        np.copyto(picture.cb[self.cells], COLOURLESS, where=self.covered_cells)
        np.copyto(picture.cr[self.cells], COLOURLESS, where=self.covered_cells)


def _as_array(covered: Cells) -> NDArray[np.bool_]:
    """The cells as rows x columns."""
    bits = b"".join(row.to_bytes(-(-covered.columns // 8), "little") for row in covered.rows)
    packed = np.frombuffer(bits, dtype=np.uint8).reshape(len(covered.rows), -1)
    return np.unpackbits(packed, axis=1, count=covered.columns, bitorder="little").astype(np.bool_)
