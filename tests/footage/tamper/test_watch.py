"""The tamper watch: what is a tamper, what is not, and how one ends. Pictures come at made-up times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.footage.tamper.watch import ACCEPTED_AFTER_S, LOOK_EVERY_S, Tamper, TamperWatch
from agent.helpers.messages import TamperOver, TamperSeen
from agent.hw.kit import LoresFrame
from tests.footage.tamper_corpus import GOAL_S, Passers
from tests.footage.tamper_street import Light, Pose, Show, TamperStreet, blurred

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.footage.tamper_street import Plane


class Watched:
    """A street with a watch over it; collects what is told, and when."""

    def __init__(self, light: Light = Light.DAY, seed: int = 7) -> None:
        self.show = Show.of(light)
        self.street = TamperStreet(seed)
        self.watch = TamperWatch()
        self.now_s = 100.0
        self.told: list[tuple[float, TamperSeen | TamperOver]] = []
        self.frame: LoresFrame | None = None

    def film(
        self, seconds: float, optics: Callable[[Plane], Plane] | None = None, every_s: float = LOOK_EVERY_S
    ) -> None:
        """New pictures for so long."""
        for _ in range(int(seconds / every_s)):
            light = self.street.light(self.show)
            picture = self.street.expose(light if optics is None else optics(light), self.show)
            self.frame = self.street.develop(picture, self.show, self.now_s)
            self._look(every_s)

    def wait(self, seconds: float) -> None:
        """No new picture for so long."""
        for _ in range(int(seconds / LOOK_EVERY_S)):
            self._look(LOOK_EVERY_S)

    def repeat(self, seconds: float) -> None:
        """The last picture again and again, each time as a new one."""
        for _ in range(int(seconds / LOOK_EVERY_S)):
            assert self.frame is not None
            self.frame = LoresFrame(self.frame.luma.copy(), self.now_s)
            self._look(LOOK_EVERY_S)

    @property
    def seen(self) -> list[str]:
        return [said.kind for _, said in self.told if isinstance(said, TamperSeen)]

    @property
    def over(self) -> int:
        return sum(isinstance(said, TamperOver) for _, said in self.told)

    def _look(self, passes_s: float) -> None:
        said = self.watch.look(self.frame, self.now_s)
        if said is not None:
            self.told.append((self.now_s, said))
        self.now_s += passes_s


def black(light: Plane) -> Plane:
    return light * 0


def milk(light: Plane) -> Plane:
    return blurred(light, 25) * np.float32(0.3)


def test_a_view_is_learned_and_then_once_told_to_be_in_order() -> None:
    camera = Watched()
    camera.film(120)
    ((_, said),) = camera.told
    assert isinstance(said, TamperOver)


def test_a_tamper_is_told_once_with_its_kind_its_beginning_and_what_was_measured_and_its_end_once() -> None:
    camera = Watched()
    camera.film(30)
    began_s = camera.now_s
    camera.film(90, black)
    ended_s = camera.now_s
    camera.film(60)
    (_, _), (seen_at_s, seen), (over_at_s, over) = camera.told
    assert isinstance(seen, TamperSeen)
    assert isinstance(over, TamperOver)
    assert seen.kind == Tamper.DARK
    assert seen.scores["seen_share"] < 0.1
    assert set(seen.scores) == {"seen_share", "blank_share", "sharpness_share", "shift_share", "mean_luma"}
    assert began_s <= seen.seen_s <= began_s + 2
    assert seen_at_s - began_s <= GOAL_S
    assert ended_s <= over.over_s <= ended_s + 2
    assert over_at_s - ended_s <= GOAL_S


@pytest.mark.parametrize(("optics", "kind"), [(black, Tamper.DARK), (milk, Tamper.COVERED)])
def test_a_camera_that_is_covered_before_the_start_needs_no_view_to_be_told(
    optics: Callable[[Plane], Plane], kind: Tamper
) -> None:
    camera = Watched()
    camera.film(GOAL_S, optics)
    assert camera.seen == [kind]
    camera.film(10)
    assert camera.over == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_street_with_hardly_any_light_is_no_covered_camera(seed: int) -> None:
    camera = Watched(Light.NIGHT_DARK, seed)
    camera.film(60)
    assert camera.seen == []


def test_a_street_that_grows_dark_until_nothing_is_left_of_it_is_no_tamper() -> None:
    camera = Watched(Light.NIGHT_DARK)
    camera.film(30)
    for _ in range(150):
        camera.show.sky *= 0.96
        camera.film(4, every_s=2)
    assert camera.show.sky < 2e-8
    camera.film(60)
    assert camera.seen == []


def test_a_street_that_loses_its_last_lamp_is_seen_on_by_what_the_sky_leaves() -> None:
    camera = Watched(Light.NIGHT_LIT)
    camera.film(30)
    camera.show = Show.of(Light.NIGHT_DARK)
    camera.film(60)
    assert camera.seen == []


@pytest.mark.parametrize("light", Light)
def test_the_units_own_lamp_is_no_tamper(light: Light) -> None:
    camera = Watched(light)
    camera.film(30)
    for lamp in (0.02, 0.0, 0.05, 0.0):
        camera.show.unit_lamp = lamp
        camera.film(20)
    assert camera.seen == []


@pytest.mark.parametrize("light", Light)
def test_an_infrared_filter_that_switches_is_no_tamper(light: Light) -> None:
    camera = Watched(light)
    camera.film(30)
    camera.show.infrared = True
    camera.film(30)
    camera.show.infrared = False
    camera.film(30)
    assert camera.seen == []


@pytest.mark.parametrize("seed", range(4))
def test_a_bus_that_stops_for_15_s_is_no_tamper(seed: int) -> None:
    camera, passers = Watched(seed=seed), Passers(np.random.default_rng(seed))
    camera.film(30)
    passers.stop_by(camera.now_s, 15)
    camera.film(40, lambda light: passers.before(light, camera.now_s))
    assert camera.seen == []


def test_a_bus_that_stands_there_at_the_start_is_not_learned_as_the_view() -> None:
    camera, passers = Watched(), Passers(np.random.default_rng(3))
    passers.stop_by(camera.now_s - 1, 15)
    camera.film(90, lambda light: passers.before(light, camera.now_s))
    assert camera.seen == []


def test_a_bag_through_which_the_street_is_seen_now_and_then_is_told_all_the_same() -> None:
    camera = Watched()
    camera.film(30)
    for _ in range(4):
        camera.film(5, black)
        camera.film(1)
    assert camera.seen == [Tamper.DARK]


def test_a_turned_camera_that_is_turned_back_is_restored() -> None:
    camera = Watched()
    camera.film(30)
    camera.show.pose = Pose(0.2, 0.0, 5.0)
    camera.film(60)
    assert camera.seen == [Tamper.MOVED]
    assert camera.over == 1  # of the start
    camera.show.pose = Pose()
    camera.film(10)
    assert camera.over == 2


def test_a_turned_camera_that_stays_turned_watches_its_new_view_after_a_while() -> None:
    camera = Watched()
    camera.film(30)
    camera.show.pose = Pose(0.2, 0.0, 5.0)
    camera.film(ACCEPTED_AFTER_S, every_s=2)
    assert (camera.seen, camera.over) == ([Tamper.MOVED], 1)
    camera.film(40, every_s=2)
    assert (camera.seen, camera.over) == ([Tamper.MOVED], 2)
    camera.film(GOAL_S, milk)
    assert len(camera.seen) == 2


def test_a_sprayed_camera_is_never_taken_for_one_that_has_a_new_view() -> None:
    camera = Watched()
    camera.film(30)
    camera.film(ACCEPTED_AFTER_S + 60, lambda light: blurred(light, 3), every_s=2)
    assert (camera.seen, camera.over) == ([Tamper.BLURRED], 1)


def test_a_camera_uncovered_in_another_light_than_it_was_covered_in_is_restored() -> None:
    camera = Watched(Light.DAY)
    camera.film(30)
    camera.film(30, black)
    camera.show = Show.of(Light.NIGHT_LIT)
    camera.film(10)
    assert (camera.seen, camera.over) == ([Tamper.DARK], 2)


def test_a_repeated_picture_is_frozen_until_another_comes() -> None:
    camera = Watched()
    camera.film(30)
    camera.repeat(9)
    assert camera.seen == []
    camera.repeat(2)
    assert camera.seen == [Tamper.FROZEN]
    camera.film(6)
    assert camera.over == 2


def test_pure_black_again_and_again_is_dark_and_not_frozen() -> None:
    camera = Watched()
    camera.film(30)
    camera.frame = LoresFrame(np.full((180, 320), 16, np.uint8), camera.now_s)
    camera.repeat(GOAL_S)
    assert camera.seen == [Tamper.DARK]


def test_a_pipeline_that_restarts_is_no_tamper_and_its_view_is_still_known() -> None:
    camera = Watched()
    camera.film(30)
    camera.wait(7)
    camera.film(10)
    camera.film(GOAL_S, black)
    assert camera.seen == [Tamper.DARK]


@pytest.mark.parametrize("learned_s", [0, 30])
def test_a_camera_without_pictures_is_told_after_ten_seconds_and_restored_with_them(learned_s: float) -> None:
    camera = Watched()
    camera.film(learned_s)
    camera.wait(9)
    assert camera.seen == []
    camera.wait(2)
    assert camera.seen == [Tamper.SIGNAL_LOST]
    camera.film(6)
    assert isinstance(camera.told[-1][1], TamperOver)


def test_a_camera_that_comes_back_turned_is_told_as_turned() -> None:
    camera = Watched()
    camera.film(30)
    camera.wait(15)
    camera.show.pose = Pose(0.15, 0.1, 0.0)
    camera.film(30)
    assert camera.seen == [Tamper.SIGNAL_LOST, Tamper.MOVED]


def test_a_watch_that_slept_does_not_blame_the_camera() -> None:
    camera = Watched()
    camera.film(30)
    camera.now_s += 60
    camera.wait(5)
    camera.film(30)
    assert camera.seen == []


def test_pictures_too_small_to_be_halved_are_watched_as_well() -> None:
    camera = Watched()

    def small(seconds: float, optics: Callable[[Plane], Plane] | None = None) -> None:
        for _ in range(int(seconds / LOOK_EVERY_S)):
            light = camera.street.light(camera.show)
            picture = camera.street.expose(light if optics is None else optics(light), camera.show)
            frame = camera.street.develop(picture, camera.show, camera.now_s)
            camera.frame = LoresFrame(np.ascontiguousarray(frame.luma[::2, ::2]), camera.now_s)
            camera.wait(LOOK_EVERY_S)

    small(40)
    assert camera.seen == []
    small(GOAL_S, milk)
    assert camera.seen != []
