"""A scripted corpus for the tamper watch: tampers of every kind, and long stretches of street in which there is none.

    .venv/bin/python -m tests.footage.tamper_corpus --runs 400 --hours 24

prints the table that `test_tamper_corpus.py` makes of a smaller part. Seeds below `HELD_OUT` were looked at while the
numbers of `agent.footage` were chosen; those from there on never were, and they are what is reported.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from agent.footage.tamper.watch import LOOK_EVERY_S, Tamper, TamperWatch
from agent.helpers.messages import TamperSeen
from agent.hw.kit import LoresFrame
from tests.footage.tamper_street import HEIGHT_PX, WIDTH_PX, Light, Pose, Show, TamperStreet, Weather, blurred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.footage.tamper_street import Plane

    Random = np.random.Generator
    Optics = Callable[[Plane], Plane]
    """What becomes of the light on its way through whatever is before the lens."""

HELD_OUT = 1000
"""The first seed that was never looked at while numbers were chosen."""
GOAL_S = 20.0
"""Within so long a tamper is told, and its end (standards.md goal 9)."""
SETTLED_S = 24.0
"""A run's tamper begins this long after its start or later: the view is learned by then."""
WEATHER_SHARE = 0.3
"""So many of the runs have rain and wind."""


# --- what is done to a camera ----------------------------------------------------------------------------------------


def black_bag(_random: Random) -> Optics:
    return lambda light: light * 0


def thin_bag(random: Random) -> Optics:
    through, blur = random.uniform(0.1, 0.6), random.uniform(14, 30)
    return lambda light: blurred(light, blur) * through


def hand(random: Random) -> Optics:
    slope = _slope(random)
    return lambda light: float(light.mean()) * random.uniform(0.04, 0.06) * slope


def paint(random: Random) -> Optics:
    mask, shade = _splashes(random, random.uniform(0.7, 0.9)), random.choice([0.0, 0.3, 1.5])
    return lambda light: light * (1 - mask) + float(light.mean()) * shade * mask


def spray(random: Random) -> Optics:
    veil, blur = random.uniform(0.2, 0.6), random.uniform(3, 8)
    return lambda light: blurred(light, blur) * (1 - veil) + float(light.mean()) * veil


def defocus(random: Random) -> Optics:
    blur = random.uniform(2.5, 9)
    return lambda light: blurred(light, blur)


def torch(random: Random) -> Optics:
    x, y, wide = random.uniform(0.3, 0.7), random.uniform(0.3, 0.7), random.uniform(0.1, 0.25)
    glare = _spot(x, y, wide) * 60 + random.uniform(10, 20)
    return lambda light: light + float(light.mean()) * glare


def laser(random: Random) -> Optics:
    return lambda light: light * 0 + 1e4 * random.uniform(0.9, 1.1)


def shifted(random: Random) -> Pose:
    share, angle = random.uniform(0.1, 0.3), random.uniform(0, 2 * np.pi)
    return Pose(share * np.cos(angle), share * np.sin(angle), 0.0)


def turned(random: Random) -> Pose:
    sign = random.choice([-1, 1])
    return Pose(random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05), sign * random.uniform(6, 25))


COVERING: dict[str, tuple[Callable[[Random], Optics], set[Tamper]]] = {
    "black bag": (black_bag, {Tamper.DARK, Tamper.COVERED}),
    "thin bag": (thin_bag, {Tamper.COVERED, Tamper.BLURRED}),
    "hand": (hand, {Tamper.COVERED, Tamper.DARK}),
    "paint 70 to 90 %": (paint, {Tamper.COVERED, Tamper.BRIGHT}),
    "spray": (spray, {Tamper.BLURRED}),
    "out of focus": (defocus, {Tamper.BLURRED}),
    "torch": (torch, {Tamper.BRIGHT, Tamper.COVERED}),
    "laser": (laser, {Tamper.BRIGHT}),
}
TURNING: dict[str, Callable[[Random], Pose]] = {"shifted 10 to 30 %": shifted, "turned 6 to 25 deg": turned}
STICKING = "repeats a picture"
SILENT = "gives none"
KINDS = [*COVERING, *TURNING, STICKING, SILENT]
"""All that is done to cameras."""
EXPECTED = {name: kinds for name, (_, kinds) in COVERING.items()} | {
    **{name: {Tamper.MOVED} for name in TURNING},
    STICKING: {Tamper.FROZEN},
    SILENT: {Tamper.SIGNAL_LOST},
}


# --- what befalls a street without any tamper ------------------------------------------------------------------------


def _slope(random: Random) -> Plane:
    y, x = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j].astype(np.float32)
    slope: Plane = 1 + np.float32(random.uniform(-0.5, 0.5)) * x + np.float32(random.uniform(-0.5, 0.5)) * y
    return slope


def _spot(x: float, y: float, wide: float) -> Plane:
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    away = (columns - x * WIDTH_PX) ** 2 + (rows - y * HEIGHT_PX) ** 2
    spot: Plane = np.exp(-away / (2 * (wide * WIDTH_PX) ** 2)).astype(np.float32)
    return spot


def _splashes(random: Random, share: float) -> Plane:
    """Blots on the lens, out of focus, until so much of the picture is behind them."""
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    while float((mask > 0).mean()) < share:
        x, y = random.uniform(0, WIDTH_PX), random.uniform(0, HEIGHT_PX)
        wide, high = random.uniform(15, 70, 2)
        mask[((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2 < 1] = 1
    return blurred(mask, 3)


class Passers:
    """People and cars on their way, and now and then something that fills the picture for up to 15 s."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._walkers = [(random.uniform(0, 1), random.uniform(0.04, 0.15), random.uniform(0.3, 0.9)) for _ in range(3)]
        self._near: tuple[float, float, Plane] | None = None

    def stop_by(self, at_s: float, stays_s: float) -> None:
        """A bus stops, or somebody stands before the lens."""
        texture = self._random.uniform(0.3, 1.6, (6, 10)).astype(np.float32)
        if self._random.random() < 0.4:
            texture[:] = self._random.uniform(0.2, 0.9)
        large = np.kron(texture, np.ones((HEIGHT_PX // 6, WIDTH_PX // 10), np.float32))
        self._near = at_s, at_s + stays_s, large

    def before(self, light: Plane, at_s: float) -> Plane:
        """The street with whoever is on it."""
        seen, mean = light.copy(), float(light.mean())
        for start, speed, shade in self._walkers:
            left = int(((start + speed * at_s) % 1.3 - 0.15) * WIDTH_PX)
            seen[80:150, max(left, 0) : max(left + 26, 0)] = mean * shade
        if self._near is not None:
            since_s, until_s, texture = self._near
            edge = min(1.0, (at_s - since_s) / 1.0, (until_s - at_s) / 1.0)
            if edge > 0:
                wide, high = int(edge * WIDTH_PX * 0.95), int(HEIGHT_PX * 0.12)
                seen[high:, :wide] = (texture * mean)[high:, :wide]
        return seen


@dataclass(frozen=True)
class Result:
    """What the watch said of one tamper."""

    tamper: str
    light: Light
    kind: Tamper | None
    """None: it was not told at all, or told before it began."""
    told_after_s: float
    over_after_s: float
    """Infinite when it was never told."""

    @property
    def good(self) -> bool:
        """Told, and its end, each within the goal."""
        return self.kind is not None and self.told_after_s <= GOAL_S and self.over_after_s <= GOAL_S

    @property
    def named(self) -> bool:
        """Told as what it was."""
        return self.kind in EXPECTED[self.tamper]


def tamper_run(seed: int) -> Result:
    """One street, one tamper, and its end."""
    random = np.random.default_rng([seed, 1])
    lights = list(Light)
    name, light = KINDS[seed % len(KINDS)], lights[seed // len(KINDS) % len(lights)]
    camera = _Disabled(seed, name, light, random)
    begins_s, ends_s = SETTLED_S + float(random.uniform(0, 3)), np.inf
    watch, at_s, told_s, over_s = TamperWatch(), 0.0, np.inf, np.inf
    kind: Tamper | None = None
    while at_s < min(begins_s, told_s) + GOAL_S + 2 or (told_s < np.inf and at_s < ends_s + GOAL_S + 2):
        said = watch.look(camera.film(at_s, disabled=begins_s <= at_s < ends_s), at_s)
        if isinstance(said, TamperSeen):
            if kind is not None or at_s < begins_s:
                return Result(name, light, None, np.inf, np.inf)
            kind, told_s, ends_s = Tamper(said.kind), at_s, at_s + float(random.uniform(2, 4))
        elif said is not None and kind is not None:
            over_s = at_s
            break
        at_s += LOOK_EVERY_S
    return Result(name, light, kind, told_s - begins_s, over_s - ends_s if kind else np.inf)


class _Disabled:
    """A camera over a busy street, to which one thing is done."""

    def __init__(self, seed: int, name: str, light: Light, random: Random) -> None:
        self._name = name
        self._street, self._passers, self._show = TamperStreet(seed), Passers(random), Show.of(light)
        if random.random() < WEATHER_SHARE:
            self._show.weather = Weather(rain=random.uniform(0, 0.03), sway_px=random.uniform(0, 1))
        self._optics = COVERING[name][0](random) if name in COVERING else None
        self._pose = TURNING[name](random) if name in TURNING else Pose()
        self._frame: LoresFrame | None = None

    def film(self, at_s: float, *, disabled: bool) -> LoresFrame | None:
        """The newest picture at this moment."""
        if disabled and self._name == SILENT:
            return self._frame
        if disabled and self._name == STICKING and self._frame is not None:
            self._frame = LoresFrame(self._frame.luma, at_s)
            return self._frame
        self._show.pose = self._pose if disabled else Pose()
        seen = self._passers.before(self._street.light(self._show), at_s)
        if disabled and self._optics is not None:
            seen = self._optics(seen)
        self._frame = self._street.develop(self._street.expose(seen, self._show), self._show, at_s)
        return self._frame


@dataclass
class _Day:
    """What happens on a street, one thing after the other; each yields the looks that pass meanwhile."""

    random: Random
    passers: Passers
    light: int
    show: Show
    now_s: float = 0.0

    def pass_time(self, seconds: float) -> Iterator[None]:
        for _ in range(int(seconds / LOOK_EVERY_S)):
            self.now_s += LOOK_EVERY_S
            yield

    def unit_lamp(self) -> Iterator[None]:
        self.show.unit_lamp = 0.0 if self.show.unit_lamp else self.show.sky + float(self.random.uniform(0.002, 0.02))
        yield from self.pass_time(5)

    def street_lamps(self) -> Iterator[None]:
        """On or off at once, if it is night."""
        night = [Light.NIGHT_LIT, Light.NIGHT_UNLIT]
        if (present := list(Light)[self.light]) in night:
            other = night[1 - night.index(present)]
            self.light = list(Light).index(other)
            self.show.take_light(Show.of(other), 1.0)
        yield from self.pass_time(20)

    def sky(self) -> Iterator[None]:
        """From one light to the next, thirty times quicker than outside."""
        self.light = (self.light + 1) % len(Light)
        target = Show.of(list(Light)[self.light])
        steps = int(self.random.uniform(60, 120) / LOOK_EVERY_S)
        for step in range(steps):
            self.show.take_light(target, 1 / (steps - step))
            yield from self.pass_time(LOOK_EVERY_S)

    def infrared(self) -> Iterator[None]:
        self.show.infrared = not self.show.infrared
        yield from self.pass_time(20)

    def near(self) -> Iterator[None]:
        """A bus stops, or somebody stands before the lens."""
        self.passers.stop_by(self.now_s, float(self.random.uniform(3, 15)))
        yield from self.pass_time(20)

    def headlights(self) -> Iterator[None]:
        before = self.show.unit_lamp
        self.show.unit_lamp = (self.show.sky + self.show.lamps) * float(self.random.uniform(5, 40))
        yield from self.pass_time(self.random.uniform(2, 8))
        self.show.unit_lamp = before

    def cloud(self) -> Iterator[None]:
        self.show.sky *= float(self.random.uniform(0.3, 0.8))
        yield from self.pass_time(5)

    def sun(self) -> Iterator[None]:
        """It comes out or goes, with hard-edged shadows."""
        self.show.shadow = 0.0 if self.show.shadow else float(self.random.uniform(0.4, 0.85))
        yield from self.pass_time(20)

    def rain(self) -> Iterator[None]:
        self.show.weather.rain = 0.0 if self.show.weather.rain else float(self.random.uniform(0.005, 0.04))
        yield from self.pass_time(10)

    def wind(self) -> Iterator[None]:
        self.show.weather.sway_px = 0.0 if self.show.weather.sway_px else float(self.random.uniform(0.5, 1.5))
        yield from self.pass_time(10)

    def fog(self) -> Iterator[None]:
        """Comes and goes within two minutes."""
        weather = self.show.weather
        thick = 0.0 if weather.fog else float(self.random.uniform(0.2, 0.6))
        for step in range(240):
            weather.fog += (thick - weather.fog) / (240 - step)
            yield from self.pass_time(LOOK_EVERY_S)

    def live(self) -> Iterator[None]:
        """One after the other, for ever."""
        yield from self.pass_time(SETTLED_S)
        things = [
            self.unit_lamp, self.street_lamps, self.sky, self.infrared, self.near, self.near, self.headlights,
            self.cloud, self.sun, self.rain, self.wind, self.fog,
        ]  # fmt: skip
        while True:
            yield from things[int(self.random.integers(len(things)))]()
            yield from self.pass_time(self.random.uniform(0, 40))


def calm_run(seed: int, minutes: float) -> list[tuple[float, TamperSeen, Show]]:
    """One street without a tamper for so long; returns what was told all the same, when, and in what light."""
    random = np.random.default_rng([seed, 2])
    light = int(random.integers(len(Light)))
    street, day = TamperStreet(seed), _Day(random, Passers(random), light, Show.of(list(Light)[light]))
    watch, false = TamperWatch(), []
    for _ in day.live():
        if day.now_s > minutes * 60:
            break
        seen = day.passers.before(street.light(day.show), day.now_s)
        said = watch.look(street.develop(street.expose(seen, day.show), day.show, day.now_s), day.now_s)
        if isinstance(said, TamperSeen):
            false.append((day.now_s, said, copy(day.show)))
    return false


def table(results: list[Result]) -> str:
    """How many of each were told and ended in time, and how late."""
    rows = defaultdict(list)
    for result in results:
        rows[result.tamper].append(result)
    lines = [f"{'tamper':20} {'runs':>5} {'in time':>8} {'named':>6} {'told after s':>14} {'over after s':>14}"]
    for name, of_kind in [*sorted(rows.items()), ("all", results)]:
        told = [each.told_after_s for each in of_kind if each.good] or [np.nan]
        over = [each.over_after_s for each in of_kind if each.good] or [np.nan]
        good, named = sum(each.good for each in of_kind), sum(each.named for each in of_kind)
        lines.append(
            f"{name:20} {len(of_kind):5} {good:8} {named:6} "
            f"{np.median(told):6.1f} <= {max(told):4.1f} {np.median(over):6.1f} <= {max(over):4.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run it and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=120, help="tampers")
    options.add_argument("--hours", type=float, default=1.0, help="of street without any")
    options.add_argument("--first-seed", type=int, default=HELD_OUT)
    options.add_argument("--processes", type=int, default=1)
    given = options.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        results = list(pool.map(tamper_run, range(given.first_seed, given.first_seed + given.runs)))
        sys.stdout.write(f"{table(results)}\n")
        for number, result in enumerate(results, given.first_seed):
            if not (result.good and result.named):
                sys.stdout.write(f"seed {number}: {result}\n")
        streets = max(1, round(given.hours * 4))
        seeds = range(given.first_seed, given.first_seed + streets)
        false = list(pool.map(partial(calm_run, minutes=given.hours * 60 / streets), seeds))
    sys.stdout.write(f"{given.hours:g} h of street without a tamper: {sum(map(len, false))} false reports\n")
    for seed, reports in zip(seeds, false, strict=True):
        for report in reports:
            sys.stdout.write(f"seed {seed}: {report}\n")


if __name__ == "__main__":
    main()
