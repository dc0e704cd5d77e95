"""Streets for the tamper watch: random geometry, light, weather and passers-by, as analysis pictures at made-up times.

They have nothing in common with the simulated street of `fakes`: no two seeds share a line, so that no number of the
watch can be tuned to one picture. Light is multiplied as it is in the world, exposure follows, noise grows with gain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from agent.hw.kit import LoresFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

WIDTH_PX, HEIGHT_PX = 320, 180
PATTERN = 0.08
"""Of a sensor's noise, so much is the same in each picture, and stays when the lens is covered."""
WORLD = 2
"""The world is so much wider and higher than the view: what a turned camera sees is there as well."""
DARKEST = 1e-6
"""No light at all, where light goes in ratios."""
FINE = 2
"""The world is painted so much finer than it is seen."""
GREY = 0.16
"""What auto exposure aims at, of full scale, before gamma."""
LEAST_GAIN = 0.1
"""The shortest exposure of a sensor is no match for a laser."""


class Light(Enum):
    """A scene's light: how much comes from the sky, from street lamps and from windows; gain; noise."""

    DAY = (1.0, 0.0, 0.0, 40.0, 0.5)
    DUSK = (0.03, 0.03, 0.02, 60.0, 1.0)
    NIGHT_LIT = (0.0015, 0.02, 0.02, 60.0, 1.8)
    NIGHT_UNLIT = (0.0002, 0.0, 0.002, 45.0, 2.5)
    NIGHT_DARK = (0.000005, 0.0, 0.0, 45.0, 3.0)

    @property
    def noise(self) -> float:
        """Standard deviation of a pixel of the analysis picture at full gain, in luma."""
        return self.value[4]


@dataclass
class Weather:
    """What is in the way of all light, and what moves by itself."""

    rain: float = 0.0
    """Share of pixels in a streak."""
    fog: float = 0.0
    """0 is none, 1 is nothing else."""
    sway_px: float = 0.0
    """The mast moves so far to each side."""


@dataclass(frozen=True)
class Pose:
    """Where the camera looks, relative to where it was mounted, in shares of the picture and degrees."""

    x: float = 0.0
    y: float = 0.0
    turn_deg: float = 0.0


@dataclass
class Show:
    """Everything that may differ from one picture to the next."""

    sky: float = 1.0
    lamps: float = 0.0
    windows: float = 0.0
    max_gain: float = 40.0
    noise: float = 0.5
    unit_lamp: float = 0.0
    shadow: float = 0.0
    """How much of the sky's light is missing in hard-edged shadows: the sun came out."""
    infrared: bool = False
    pose: Pose = field(default_factory=Pose)
    weather: Weather = field(default_factory=Weather)

    @classmethod
    def of(cls, light: Light) -> Show:
        """A scene in one of the usual lights."""
        return cls(*light.value)

    def take_light(self, other: Show, share: float) -> None:
        """Go this share of the way to another light; light goes in ratios, as the eye and the sensor see it."""
        for name in ("sky", "lamps", "windows", "max_gain", "noise"):
            mine, theirs = (getattr(each, name) + DARKEST for each in (self, other))
            setattr(self, name, mine ** (1 - share) * theirs**share - DARKEST)


class TamperStreet:
    """One random place with a camera over it."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        paint = _Painter(self.random)
        self._matter, self._infrared, self._lamplight, self._windows = paint.world()
        self._cone = _cone(self.random)
        self._shadows = _shadows(self.random)
        self._pattern = self.random.standard_normal((HEIGHT_PX, WIDTH_PX)).astype(np.float32)
        self._noise = self.random.standard_normal((HEIGHT_PX + 64, WIDTH_PX + 64)).astype(np.float32)
        self._views: dict[tuple[float, float, float, bool], tuple[Plane, Plane, Plane]] = {}
        self._gain = 0.0
        self._lit: Plane = self._cone
        self._lit_state: tuple[object, ...] = ()

    def light(self, show: Show) -> Plane:
        """What reaches the lens, in linear light."""
        sway = show.weather.sway_px
        pose = show.pose
        x = pose.x + (sway * float(self.random.integers(-4, 5)) / 4 / WIDTH_PX if sway else 0.0)
        state = (x, pose, show.sky, show.lamps, show.windows, show.unit_lamp, show.shadow, show.infrared)
        if state != self._lit_state:  # most pictures are of what the one before was of
            matter, lamps, windows = self._view(x, pose.y, pose.turn_deg, infrared=show.infrared)
            sky = np.float32(show.sky) * (1 - np.float32(show.shadow) * self._shadows)
            light = sky + np.float32(show.lamps) * lamps + np.float32(show.unit_lamp) * self._cone
            self._lit, self._lit_state = matter * light + np.float32(show.windows) * windows, state
        seen = self._lit
        if show.weather.fog:
            veil = float(seen.mean()) * 1.5
            seen = seen * (1 - show.weather.fog) + veil * show.weather.fog
        return seen

    def expose(self, light: Plane, show: Show) -> Plane:
        """The picture that the sensor makes of this light, before noise, as luma; its gain follows by and by."""
        wanted = min(max(GREY / max(float(light.mean()), 1e-6), LEAST_GAIN), show.max_gain * 4)
        self._gain = wanted if not self._gain else self._gain * (wanted / self._gain) ** 0.6
        picture: Plane = 16 + 219 * np.sqrt(np.clip(light * np.float32(self._gain), 0, 1))  # gamma, as good as 2.2
        return picture

    def develop(self, picture: Plane, show: Show, at_s: float) -> LoresFrame:
        """The analysis picture with its noise."""
        down, right = self.random.integers(0, 64, 2)
        noisy = picture + self._noise[down : down + HEIGHT_PX, right : right + WIDTH_PX] * show.noise
        noisy += self._pattern * (PATTERN * show.noise)
        if show.weather.rain:
            _rain(noisy, show.weather.rain, self.random)
        return LoresFrame(np.clip(noisy, 0, 255).astype(np.uint8), at_s)

    def _view(self, x: float, y: float, turn_deg: float, *, infrared: bool) -> tuple[Plane, Plane, Plane]:
        key = (round(x, 5), y, turn_deg, infrared)
        if key not in self._views:
            if len(self._views) > 40:
                self._views.clear()
            matter = self._infrared if infrared else self._matter
            self._views[key] = (
                _look(matter, x, y, turn_deg),
                _look(self._lamplight, x, y, turn_deg),
                _look(self._windows, x, y, turn_deg),
            )
        return self._views[key]


def _look(world: Image.Image, x: float, y: float, turn_deg: float) -> Plane:
    width, height = WIDTH_PX * FINE, HEIGHT_PX * FINE
    middle = world.width / 2 + x * width, world.height / 2 + y * height
    turned = world.rotate(turn_deg, Image.Resampling.BILINEAR, center=middle) if turn_deg else world
    box = middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2
    return np.asarray(turned.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BOX, box=box), dtype=np.float32)


def _cone(random: np.random.Generator) -> Plane:
    """The unit's own lamp: bright in the middle of the picture, nothing at its edges."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    middle = WIDTH_PX * random.uniform(0.35, 0.65), HEIGHT_PX * random.uniform(0.55, 0.8)
    wide = WIDTH_PX * random.uniform(0.15, 0.3)
    cone: Plane = np.exp(-((x - middle[0]) ** 2 + 1.5 * (y - middle[1]) ** 2) / (2 * wide**2)).astype(np.float32)
    return cone


def _shadows(random: np.random.Generator) -> Plane:
    """Of roofs and of leaves."""
    shadows = Image.new("L", (WIDTH_PX, HEIGHT_PX), 0)
    draw, x = ImageDraw.Draw(shadows), 0
    slope = float(random.uniform(-80, 80))
    while x < WIDTH_PX:
        wide = int(random.integers(20, 90))
        if random.random() < 0.5:
            top = int(random.integers(0, HEIGHT_PX))
            draw.polygon([(x, top), (x + wide, top), (x + wide + slope, HEIGHT_PX), (x + slope, HEIGHT_PX)], fill=255)
        x += wide
    for _ in range(random.integers(0, 120)):
        left, low, size = random.uniform(0, WIDTH_PX), random.uniform(HEIGHT_PX / 2, HEIGHT_PX), random.uniform(2, 9)
        draw.ellipse((left, low, left + 2 * size, low + size), fill=255)
    return np.asarray(shadows, dtype=np.float32) * np.float32(1 / 255)


def _rain(picture: Plane, share: float, random: np.random.Generator) -> None:
    count = int(share * picture.size / 8)
    rows, columns = random.integers(0, HEIGHT_PX - 8, count), random.integers(0, WIDTH_PX, count)
    for step in range(8):
        picture[rows + step, columns] += 25


class _Painter:
    """Paints a world of walls, windows, a road, masts, trees and signs."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._size = WIDTH_PX * FINE * WORLD, HEIGHT_PX * FINE * WORLD
        self._matter = Image.new("F", self._size, 0.8)
        self._windows = Image.new("F", self._size, 0.0)
        self._draw, self._glow = ImageDraw.Draw(self._matter), ImageDraw.Draw(self._windows)

    def world(self) -> tuple[Image.Image, Image.Image, Image.Image, Image.Image]:
        """What things reflect, what they reflect in infrared, where lamps shine, what shines by itself."""
        random, (width, height) = self._random, self._size
        horizon = int(height * random.uniform(0.45, 0.65))
        self._houses(horizon)
        self._road(horizon)
        for _ in range(random.integers(2, 8)):
            self._mast(horizon)
        trees = Image.new("L", self._size, 0)
        for _ in range(random.integers(0, 6)):
            self._tree(ImageDraw.Draw(trees), horizon)
        texture = Image.fromarray(random.uniform(0.7, 1.3, (height // 4, width // 4)).astype(np.float32)).resize(
            self._size
        )
        leaves = Image.fromarray(random.uniform(0.04, 0.35, (height // 6, width // 6)).astype(np.float32)).resize(
            self._size
        )
        self._matter.paste(leaves, mask=trees)
        matter = np.clip(np.asarray(self._matter) * np.asarray(texture) ** 0.5, 0.02, 0.95)
        # in infrared leaves shine and paint changes its shade
        shades = np.asarray(
            Image.fromarray(random.uniform(0.7, 1.5, (9, 16)).astype(np.float32)).resize(
                self._size, Image.Resampling.NEAREST
            )
        )
        infrared = np.where(
            np.asarray(trees) > 0, np.clip(matter * 3, 0, 0.95), np.clip(matter**0.8 * shades, 0.02, 0.95)
        )
        return (
            Image.fromarray(matter.astype(np.float32)),
            Image.fromarray(infrared.astype(np.float32)),
            self._pools(horizon),
            self._windows,
        )

    def _houses(self, horizon: int) -> None:
        random, x = self._random, -int(self._random.integers(0, 100))
        while x < self._size[0]:
            wide, high = int(random.integers(90, 420)), int(random.integers(60, horizon - 10))
            wall = float(random.uniform(0.08, 0.6))
            self._draw.rectangle((x, horizon - high, x + wide, horizon), fill=wall)
            if random.random() < 0.5:
                self._draw.polygon(
                    [(x, horizon - high), (x + wide / 2, horizon - high - 50), (x + wide, horizon - high)], fill=0.15
                )
            self._fill_with_windows(x, horizon - high, x + wide, horizon, wall)
            x += wide + int(random.integers(0, 90))

    def _fill_with_windows(self, left: int, top: int, right: int, bottom: int, wall: float) -> None:
        random = self._random
        across, down = int(random.integers(30, 90)), int(random.integers(36, 90))
        glass = float(random.uniform(0.03, 0.2)) if wall > 0.2 else float(random.uniform(0.3, 0.6))
        for x in range(left + across // 3, right - across // 2, across):
            for y in range(top + down // 3, bottom - down // 2, down):
                box = (x, y, x + across // 2, y + down // 2)
                self._draw.rectangle(box, fill=glass, outline=0.7, width=2)
                if random.random() < 0.3:
                    self._glow.rectangle(box, fill=float(random.uniform(0.3, 1.5)))
        if random.random() < 0.5:  # a shop with a sign
            self._draw.rectangle((left + 8, bottom - 40, right - 8, bottom - 22), fill=0.6)
            self._glow.rectangle((left + 8, bottom - 40, right - 8, bottom - 22), fill=0.8)
            for x in range(left + 20, right - 30, 22):
                self._draw.rectangle((x, bottom - 36, x + 12, bottom - 26), fill=0.1)

    def _road(self, horizon: int) -> None:
        random, (width, height) = self._random, self._size
        self._draw.rectangle((0, horizon, width, height), fill=float(random.uniform(0.2, 0.35)))
        kerb = horizon + int((height - horizon) * random.uniform(0.15, 0.4))
        tilt = int(random.integers(-60, 60))
        self._draw.polygon(
            [(0, kerb), (width, kerb + tilt), (width, height), (0, height)], fill=float(random.uniform(0.08, 0.18))
        )
        self._draw.line((0, kerb, width, kerb + tilt), fill=0.55, width=5)
        vanish = int(width * random.uniform(0.2, 0.8)), horizon - 60
        for x in range(-width, 2 * width, int(random.integers(70, 160))):
            self._draw.line((*vanish, x, height), fill=float(random.uniform(0.1, 0.5)), width=2)
        self._draw.rectangle((0, horizon - 60, 0, horizon), fill=0.3)
        for _ in range(random.integers(0, 5)):  # parked cars
            x, y = int(random.integers(0, width)), int(random.integers(kerb - 30, kerb + 90))
            paint = float(random.uniform(0.05, 0.7))
            self._draw.rectangle((x, y - 40, x + 150, y), fill=paint)
            self._draw.rectangle((x + 30, y - 66, x + 120, y - 40), fill=0.08, outline=paint, width=4)

    def _mast(self, horizon: int) -> None:
        random = self._random
        x, foot = int(random.integers(0, self._size[0])), horizon + int(random.integers(0, 120))
        self._draw.line(
            (x, foot - int(random.integers(120, 330)), x, foot),
            fill=float(random.uniform(0.05, 0.6)),
            width=int(random.integers(3, 9)),
        )
        if random.random() < 0.6:
            top = foot - int(random.integers(100, 200))
            self._draw.rectangle((x - 26, top, x + 26, top + 36), fill=0.85, outline=0.05, width=5)

    def _tree(self, draw: ImageDraw.ImageDraw, horizon: int) -> None:
        x, y = int(self._random.integers(0, self._size[0])), horizon - int(self._random.integers(0, 160))
        for _ in range(12):
            dx, dy, r = (float(self._random.uniform(*ends)) for ends in ((-50, 50), (-50, 50), (18, 50)))
            draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=255)

    def _pools(self, horizon: int) -> Image.Image:
        random, (width, height) = self._random, self._size
        y, x = np.mgrid[0:height:8, 0:width:8].astype(np.float32)
        light = np.full(x.shape, 0.04, np.float32)
        for left in range(int(random.integers(0, 200)), width, int(random.integers(260, 460))):
            light += np.exp(-((x - left) ** 2 + 2 * (y - horizon - 40) ** 2) / (2 * 130.0**2))
        return Image.fromarray(light).resize(self._size, Image.Resampling.BILINEAR)


def blurred(picture: Plane, sigma_px: float) -> Plane:
    """Out of focus, or seen through a smeared lens."""
    reach = max(int(sigma_px), 1)  # three boxes of 2 * reach + 1 have about this deviation
    for _ in range(3):
        for axis in (0, 1):
            pad = [(reach + 1, reach) if each == axis else (0, 0) for each in (0, 1)]
            sums = np.cumsum(np.pad(picture, pad, mode="edge"), axis=axis, dtype=np.float64)
            ahead = np.take(sums, range(2 * reach + 1, sums.shape[axis]), axis=axis)
            behind = np.take(sums, range(sums.shape[axis] - 2 * reach - 1), axis=axis)
            picture = ((ahead - behind) / (2 * reach + 1)).astype(np.float32)
    return picture
