"""What is before the lens of a simulated camera, and where it looks: how that changes the picture."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fakes.frame_clock import BLACK, WHITE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]

NO_COLOUR = 128
PAINTED = 0.75
"""Share of the lens behind paint."""


class BeforeLens(StrEnum):
    """What somebody has put before the lens, or on it."""

    NOTHING = "nothing"
    BAG = "bag"
    """Black, and tight."""
    THIN_BAG = "thin-bag"
    """Of a supermarket: some light comes through, and no picture."""
    PAINT = "paint"
    """Over 70 % of the lens and more."""
    SPRAY = "spray"
    """A film that smears everything."""
    TORCH = "torch"
    """Somebody shines one into the camera."""


class Lens:
    """Changes pictures of one size; what it needs for that is made when it is first needed."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self._size = width_px, height_px
        self._blots: NDArray[np.bool_] | None = None
        self._glare: NDArray[np.float32] | None = None

    def look_through(self, before: BeforeLens, luma: Luma, colours: tuple[Luma, Luma]) -> None:
        """Draw what is before the lens over a picture."""
        match before:
            case BeforeLens.NOTHING:
                return
            case BeforeLens.BAG:
                luma[:] = BLACK
            case BeforeLens.THIN_BAG:
                luma[:] = _smeared(luma, self._size[1] // 4) // 2 + 25
            case BeforeLens.SPRAY:
                luma[:] = _smeared(luma, self._size[1] // 24) // 2 + 30
            case BeforeLens.PAINT:
                luma[self._paint()] = 70
            case BeforeLens.TORCH:
                luma[:] = np.clip(luma * np.float32(0.3) + self._light(), BLACK, WHITE)
        for plane in colours:
            plane[:] = NO_COLOUR

    def _paint(self) -> NDArray[np.bool_]:
        if self._blots is None:
            random, (width, height) = np.random.default_rng(70), self._size
            rows, columns = np.mgrid[0:height, 0:width]
            blots = np.zeros((height, width), dtype=np.bool_)
            while blots.mean() < PAINTED:
                x, y = random.uniform(0, width), random.uniform(0, height)
                wide, high = random.uniform(0.06, 0.2, 2) * width
                blots |= ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2 < 1
            self._blots = blots
        return self._blots

    def _light(self) -> NDArray[np.float32]:
        if self._glare is None:
            width, height = self._size
            rows, columns = np.mgrid[0:height, 0:width]
            away = ((columns - width * 0.45) ** 2 + (rows - height * 0.5) ** 2) / (0.35 * width) ** 2
            self._glare = (70 + 400 * np.exp(-2 * away)).astype(np.float32)
        return self._glare


def turned(picture: Image.Image, across: float, down: float, tilt_deg: float) -> Image.Image:
    """The view of a camera that was turned by these shares of its picture; the street goes on beyond it, mirrored."""
    pad = picture.width // 2, picture.height // 2
    wide = Image.fromarray(np.pad(np.asarray(picture), ((pad[1], pad[1]), (pad[0], pad[0]), (0, 0)), mode="reflect"))
    middle = wide.width / 2 + across * picture.width, wide.height / 2 + down * picture.height
    tilted = wide.rotate(tilt_deg, Image.Resampling.BILINEAR, center=middle) if tilt_deg else wide
    left, top = round(middle[0] - picture.width / 2), round(middle[1] - picture.height / 2)
    return tilted.crop((left, top, left + picture.width, top + picture.height))


def _smeared(luma: Luma, size_px: int) -> Luma:
    """Averages of so many pixels, smoothly joined: as good as a blur, and quick enough for each picture."""
    picture = Image.fromarray(luma)
    return np.asarray(picture.reduce(max(size_px, 1)).resize(picture.size, Image.Resampling.BICUBIC), dtype=np.uint8)
