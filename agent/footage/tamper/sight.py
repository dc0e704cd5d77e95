"""What a camera sees, as far as tamper is concerned: the edges of its view, told from noise.

A view is known by its edges, because they stay where they are when light comes and goes. They are taken from the
logarithm of the light, to which lamps, clouds and exposure only add something smooth. Noise is told from edges by
looking twice: every other picture goes to a second average, and only what both averages have is really there. So a
dark street is not a covered lens for as long as anything of it can be seen at all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing import Self

Plane = NDArray[np.float32]

BLACK_LUMA = 16
"""Video's black (ITU-R BT.601)."""
CELL_ROWS, CELL_COLUMNS = 9, 16
"""The picture is judged in so many pieces: small enough that a window has some of its own, large enough (20 x 20 pixels
of 320 x 180) that noise averages out in each."""
HALVE_FROM_PX = 240
"""Pictures of this width are halved first: a quarter of the work and of the noise, and a mast may sway a little."""
FLOOR_LUMA = 5.0
"""Added to all light before its logarithm is taken: what lies less than this over black is noise more than scene."""
REMEMBERED = 4
"""Pictures in the two averages together: 2 s at two looks a second, so that a change is whole after that time."""

HALF = np.float32(0.5)


@dataclass(frozen=True)
class Edges:
    """Where light changes from one pixel to the next."""

    across: Plane
    down: Plane

    @classmethod
    def of(cls, picture: Plane) -> Self:
        """The edges of a picture; its rim has none."""
        return cls(picture[1:-1, 2:] - picture[1:-1, :-2], picture[2:, 1:-1] - picture[:-2, 1:-1])

    def times(self, other: Edges) -> Plane:
        """How much two have in common in each cell; with itself that is an edge's energy."""
        return in_cells(self.across * other.across + self.down * other.down)


@dataclass(frozen=True)
class Glance:
    """What is kept of a picture. All of it is linear in the logarithm of light, so that averages can be taken."""

    soft: Plane
    """The logarithm of light, each pixel with its neighbours."""
    detail: Plane
    """By how much a pixel differs from its neighbours."""

    @classmethod
    def at(cls, picture: Plane) -> Self:
        """What there is to a picture in luma."""
        light = np.log(np.maximum(picture - BLACK_LUMA, 0) + FLOOR_LUMA)
        return cls(_softened(light), _detail(light))

    def with_(self, other: Glance) -> Glance:
        """The average of two."""
        return Glance((self.soft + other.soft) * HALF, (self.detail + other.detail) * HALF)


@dataclass(frozen=True)
class View:
    """What the camera saw in the last seconds."""

    first: Glance
    second: Glance
    """Two averages that have no picture, and so no noise, in common."""
    luma: Plane
    """Mean brightness of each cell in the newest picture."""

    @cached_property
    def soft(self) -> Plane:
        """The logarithm of light, softened."""
        return self.first.with_(self.second).soft

    @cached_property
    def edges(self) -> Edges:
        """The edges of both averages together."""
        return Edges.of(self.soft)

    @cached_property
    def energy(self) -> Plane:
        """How much there is to see in each cell, free of noise: around 0 when nothing is, 0.01 of a usual street."""
        return Edges.of(self.first.soft).times(Edges.of(self.second.soft))

    @cached_property
    def detail(self) -> Plane:
        """The same of the finest detail, which blur takes first."""
        return in_cells(self.first.detail * self.second.detail)

    @cached_property
    def detail_noise(self) -> Plane:
        """The deviation to be expected of each cell's detail, if all that differs between the averages is noise."""
        difference = self.first.detail - self.second.detail
        energy = in_cells(difference * difference) * HALF
        pixels = difference.size / energy.size
        noise: Plane = energy * np.float32(2 / np.sqrt(pixels))
        return noise


class Sight:
    """Makes a view out of the newest pictures."""

    def __init__(self) -> None:
        self._glances: deque[Glance] = deque(maxlen=REMEMBERED)

    def see(self, luma: NDArray[np.uint8]) -> View | None:
        """Look at a picture, of the size of all others; None until there are enough."""
        picture = shrunk(luma)
        self._glances.append(Glance.at(picture))
        if len(self._glances) < REMEMBERED:
            return None
        oldest, older, newer, newest = self._glances
        return View(oldest.with_(newer), older.with_(newest), in_cells(picture))

    def forget(self) -> None:
        """What comes now does not follow what came before."""
        self._glances.clear()


def shrunk(luma: NDArray[np.uint8]) -> Plane:
    """The picture at the size at which it is judged, in luma."""
    if luma.shape[1] < HALVE_FROM_PX:
        return luma.astype(np.float32)
    rows, columns = (length // 2 * 2 for length in luma.shape)
    lines = luma[0:rows:2, :columns].astype(np.uint16) + luma[1:rows:2, :columns]
    return (lines[:, 0::2] + lines[:, 1::2]).astype(np.float32) * np.float32(0.25)


def in_cells(plane: Plane) -> Plane:
    """The mean of each cell; what does not fill a cell at the right or lower edge is left out."""
    high, wide = plane.shape[0] // CELL_ROWS, plane.shape[1] // CELL_COLUMNS
    whole = plane[: high * CELL_ROWS, : wide * CELL_COLUMNS]
    strips = np.add.reduce(whole.reshape(CELL_ROWS, high, -1), axis=1)  # rows first: the long sums are the quick ones
    means: Plane = strips.reshape(CELL_ROWS, CELL_COLUMNS, wide).sum(axis=2) / np.float32(high * wide)
    return means


def _softened(picture: Plane) -> Plane:
    """Each pixel with its neighbours, so that an edge that moved by one is still met."""
    lines = picture[:, :-2] + 2 * picture[:, 1:-1] + picture[:, 2:]
    soft: Plane = (lines[:-2] + 2 * lines[1:-1] + lines[2:]) * np.float32(1 / 16)
    return soft


def _detail(picture: Plane) -> Plane:
    middle = picture[1:-1, 1:-1]
    detail: Plane = 4 * middle - picture[:-2, 1:-1] - picture[2:, 1:-1] - picture[1:-1, :-2] - picture[1:-1, 2:]
    return detail
