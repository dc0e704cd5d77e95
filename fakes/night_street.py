"""Draws the simulated street: a shop front at night, its pavement, the lamp's light and somebody walking past.

All that does not move is painted once with Pillow; a picture is then a copy of it with a walker, the text and the
frame clock stamped in, so that a frame costs less than its encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from fakes.frame_clock import BLACK, WHITE, FrameClock, draw_frame_clock
from fakes.lens import Lens, turned
from fakes.scene import NOT_TURNED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.clock import Moment
    from fakes.scene import StreetScene

CROSSING_S = 8.0
"""A walker needs this long from one side of the picture to the other."""
STEPS_A_SECOND = 4
SIGN = "SAFE SPACE"
GLYPHS = "0123456789-:. #UTCno"
SENSOR_NOISE = 1.5
"""Standard deviation in luma: a quarter of that of a small sensor at night, since 4 x 4 pixels become one."""
COAT_LUMA, COAT_LIT_LUMA, COAT_CB, COAT_CR = 65, 95, 118, 155
"""A reddish coat: dark under the street's own light, plain to see in the lamp's."""


@dataclass
class Planes:
    """A picture as video knows it: brightness, and two colour planes of half its size."""

    whole: NDArray[np.uint8]

    @classmethod
    def of(cls, picture: Image.Image) -> Planes:
        """The planes of a painted picture."""
        frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24").reformat(format="yuv420p")
        return cls(np.ascontiguousarray(frame.to_ndarray(), dtype=np.uint8))

    def copy(self) -> Planes:
        """A picture to draw on."""
        return Planes(self.whole.copy())

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Brightness, rows x columns."""
        return self.whole[: self.whole.shape[0] * 2 // 3]

    @property
    def colours(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Cb and Cr, rows x columns."""
        rows, columns = self.luma.shape
        both = self.whole[rows:].reshape(2, rows // 2, columns // 2)
        return both[0], both[1]


@dataclass(frozen=True)
class Bare:
    """A picture's brightness as the lens makes it."""

    luma: NDArray[np.uint8]
    number: int

    def small(self, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """The picture at a size for analysis, with the noise that every sensor has, and that no two pictures share."""
        frame = av.VideoFrame.from_ndarray(self.luma, format="gray").reformat(width_px, height_px)
        random = np.random.default_rng(self.number)
        noise = random.normal(0.0, SENSOR_NOISE, (height_px, width_px))
        return np.clip(frame.to_ndarray() + noise, 0, 255).astype(np.uint8)


class NightStreet:
    """The painter of one camera's view."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self._width, self._height = width_px, height_px
        self._turned = NOT_TURNED
        self._views = self._paint()
        self._lens = Lens(width_px, height_px)
        self._last: NDArray[np.uint8] | None = None
        """The newest picture, for a camera that sticks to it."""
        self.bare = Bare(self._views[False].luma, 0)
        """What the newest picture shows of the street, without what is written into it."""
        self._walker = [_walker_mask(height_px * 2 // 5, step) for step in range(2)]
        self._glyphs = _cut_glyphs(max(height_px // 22, 9))

    def draw(self, scene: StreetScene, number: int, at: Moment) -> NDArray[np.uint8]:
        """The street at this moment, as the one array of a yuv420p frame."""
        if scene.stuck and self._last is not None:
            return self._last.copy()
        if scene.turned != self._turned:
            self._turned = scene.turned
            self._views = self._paint()
        picture = self._views[scene.lit].copy()
        if scene.person:
            self._draw_walker(picture, at.monotonic_s, COAT_LIT_LUMA if scene.lit else COAT_LUMA)
        self._lens.look_through(scene.before_lens, picture.luma, picture.colours)
        self.bare = Bare(picture.luma.copy(), number)
        self._write(picture.luma, f"{at.wall:%Y-%m-%d %H:%M:%S}.{at.wall.microsecond // 1000:03} UTC no {number:06}")
        draw_frame_clock(picture.luma, FrameClock(number, int(at.monotonic_s * 1000)))
        self._last = picture.whole.copy()
        return picture.whole

    def _paint(self) -> dict[bool, Planes]:
        """The view without and with the lamp's light."""
        dark, glow = _paint_street(self._width, self._height), _glow(self._width, self._height)
        if self._turned != NOT_TURNED:
            dark = turned(dark, *self._turned)
        return {False: Planes.of(dark), True: Planes.of(ImageChops.add(dark, glow))}

    def _draw_walker(self, picture: Planes, now_s: float, coat_luma: int) -> None:
        mask = self._walker[int(now_s * STEPS_A_SECOND) % len(self._walker)]
        there, back = divmod(now_s % (2 * CROSSING_S), CROSSING_S)
        along = 1 - back / CROSSING_S if there else back / CROSSING_S
        left = int(along * (self._width - mask.shape[1])) // 2 * 2
        top = self._height * 9 // 20 // 2 * 2
        spot = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
        half = np.s_[top // 2 : (top + mask.shape[0]) // 2, left // 2 : (left + mask.shape[1]) // 2]
        picture.luma[spot][mask] = coat_luma
        for plane, tint in zip(picture.colours, (COAT_CB, COAT_CR), strict=True):
            plane[half][mask[::2, ::2]] = tint

    def _write(self, luma: NDArray[np.uint8], text: str) -> None:
        line = np.hstack([self._glyphs[letter] for letter in text])[:, : self._width]
        luma[: line.shape[0], : line.shape[1]] = line


def _paint_street(width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), (10, 13, 26))
    draw = ImageDraw.Draw(picture)
    pavement_top, wall_top = height * 7 // 10, height // 5
    draw.rectangle((0, wall_top, width, pavement_top), fill=(38, 30, 30))
    for row, y in enumerate(range(wall_top, pavement_top, max(height // 40, 4))):  # bricks
        draw.line((0, y, width, y), fill=(30, 24, 24))
        for x in range(-(row % 2) * width // 40, width, width // 20):
            draw.line((x, y, x, y + height // 40), fill=(30, 24, 24))
    window = (width // 4, height * 3 // 10, width * 3 // 5, height * 13 // 20)
    draw.rectangle(window, fill=(92, 82, 46), outline=(60, 56, 50), width=max(width // 200, 1))
    draw.rectangle((width * 13 // 20, height * 3 // 10, width * 3 // 4, pavement_top), fill=(24, 42, 38))
    draw.text(
        (width // 4, height * 11 // 50), SIGN, font=ImageFont.load_default(max(height // 15, 9)), fill=(70, 160, 110)
    )
    draw.rectangle((0, pavement_top, width, height), fill=(34, 35, 38))
    for column in range(-4, 14):  # paving slabs run towards the eye
        x = column * width // 10
        draw.line((width // 2 + (x - width // 2) // 2, pavement_top, x, height), fill=(26, 27, 30))
    return picture


def _glow(width: int, height: int) -> Image.Image:
    """The lamp's light: a cone on wall and pavement, to be added to the dark street."""
    light = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(light)
    draw.ellipse((width // 8, height // 4, width * 7 // 8, height * 11 // 10), fill=(72, 68, 54))
    draw.ellipse((width // 4, height * 2 // 5, width * 3 // 4, height), fill=(110, 104, 84))
    return light.filter(ImageFilter.GaussianBlur(width // 14))


def _walker_mask(height: int, step: int) -> NDArray[np.bool_]:
    """A person's outline, even in size so that it covers whole colour cells; the legs are open or closed."""
    height = height // 2 * 2
    width = height * 2 // 5 // 2 * 2
    outline = Image.new("1", (width, height))
    draw = ImageDraw.Draw(outline)
    middle, stride = width // 2, width // 3 if step else width // 12
    draw.ellipse((middle - height // 14, 0, middle + height // 14, height // 7), fill=1)
    body = (middle - width // 4, height // 7, middle + width // 4, height * 3 // 5)
    draw.rounded_rectangle(body, height // 12, fill=1)
    for foot in (middle - stride, middle + stride):
        draw.line((middle, height // 2, foot, height), fill=1, width=max(width // 6, 2))
    return np.asarray(outline, dtype=np.bool_)


def _cut_glyphs(height: int) -> dict[str, NDArray[np.uint8]]:
    """White letters on black, all equally wide."""
    font = ImageFont.load_default(height)
    width = max(int(font.getlength(letter)) + 1 for letter in GLYPHS)
    glyphs = {}
    for letter in GLYPHS:
        cell = Image.new("L", (width, height * 5 // 4), BLACK)
        ImageDraw.Draw(cell).text((0, 0), letter, font=font, fill=WHITE)
        glyphs[letter] = np.asarray(cell, dtype=np.uint8)
    return glyphs
