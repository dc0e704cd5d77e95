"""What can be done to a simulated camera, and what a real watch says of it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality, Moment
from agent.footage.tamper.watch import LOOK_EVERY_S, Tamper, TamperWatch
from agent.helpers.messages import TamperOver, TamperSeen
from agent.hw.kit import LoresFrame
from fakes.lens import BeforeLens
from fakes.night_street import NightStreet
from fakes.scene import StreetScene
from tests.fakes.on_street import camera_on, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fakes.street import Street

NIGHT = Moment(95_443.7, datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC), "boot", ClockQuality.SYNCED)

DISABLED: dict[str, tuple[Callable[[StreetScene], None], set[Tamper]]] = {
    "a bag": (lambda scene: scene.cover(), {Tamper.DARK}),
    "a thin bag": (lambda scene: scene.cover(BeforeLens.THIN_BAG), {Tamper.COVERED, Tamper.BLURRED}),
    "paint": (lambda scene: scene.cover(BeforeLens.PAINT), {Tamper.COVERED}),
    "spray": (lambda scene: scene.cover(BeforeLens.SPRAY), {Tamper.BLURRED}),
    "a torch": (lambda scene: scene.cover(BeforeLens.TORCH), {Tamper.BRIGHT, Tamper.COVERED}),
    "a shift": (lambda scene: scene.turn(0.25), {Tamper.MOVED}),
    "a tilt": (lambda scene: scene.turn(0.0, 0.05, 12), {Tamper.MOVED}),
    "a stuck picture": (lambda scene: scene.stick(), {Tamper.FROZEN}),
}
HARMLESS: dict[str, Callable[[StreetScene], None]] = {
    "the lamp": lambda scene: scene.lamp(on=True),
    "somebody walking": lambda scene: scene.person_appears(),
    "nothing": lambda _scene: None,
}


def watch(happens: Callable[[StreetScene], None]) -> list[TamperSeen | TamperOver]:
    """What is told of a camera to which this happens after 25 s, and all of which is taken back after 25 more."""
    scene, street, watch, told = StreetScene(), NightStreet(640, 360), TamperWatch(), []
    for look in range(int(65 / LOOK_EVERY_S)):
        at = NIGHT.later(look * LOOK_EVERY_S)
        if at == NIGHT.later(25):
            happens(scene)
        if at == NIGHT.later(50):
            scene.uncover()
            scene.turn_back()
            scene.come_unstuck()
        street.draw(scene, look, at)
        said = watch.look(LoresFrame(street.bare.small(320, 180), at.monotonic_s), at.monotonic_s)
        if said is not None:
            told.append(said)
    return told


@pytest.mark.parametrize("what", DISABLED)
def test_a_camera_is_disabled_by(what: str) -> None:
    happens, kinds = DISABLED[what]
    _, seen, _ = watch(happens)
    assert isinstance(seen, TamperSeen)
    assert seen.kind in kinds


@pytest.mark.parametrize("what", HARMLESS)
def test_a_camera_is_not_disabled_by(what: str) -> None:
    (learned,) = watch(HARMLESS[what])
    assert isinstance(learned, TamperOver)


@asynccontextmanager
async def filmed(street: Street) -> AsyncIterator[Callable[[], LoresFrame]]:
    """A camera that films; gives its newest analysis picture."""
    async with camera_on(street) as camera:
        filming = asyncio.create_task(asyncio.to_thread(deque[object], camera.packets(), 1))
        await eventually(street, lambda: camera.lores() is not None)

        def newest() -> LoresFrame:
            frame = camera.lores()
            assert frame is not None
            return frame

        yield newest
        await asyncio.to_thread(camera.close)
        await filming


async def test_what_is_done_to_the_streets_camera_is_in_its_pictures_until_it_is_undone(street: Street) -> None:
    async with filmed(street) as newest:

        def brighter_by() -> float:
            return float(newest().luma.mean()) - clear

        clear = float(newest().luma.mean())
        await street.cover_camera()
        await eventually(street, lambda: brighter_by() < -1)
        for brighten in (street.half_cover_camera, street.paint_camera, street.spray_camera, street.blind_camera):
            await street.uncover_camera()
            await eventually(street, lambda: abs(brighter_by()) < 1)
            await brighten()
            await eventually(street, lambda: brighter_by() > 1)
        await street.uncover_camera()
        await street.turn_camera(down=-0.3)
        await eventually(street, lambda: brighter_by() < -1)
        await street.turn_camera_back()
        await eventually(street, lambda: abs(brighter_by()) < 1)


async def test_a_stuck_camera_films_the_same_picture_again_and_again(street: Street) -> None:
    async with filmed(street) as newest:

        async def repeats() -> bool:
            one = newest()
            await eventually(street, lambda: newest().taken_s > one.taken_s)
            return bool((newest().luma == one.luma).all())

        assert not await repeats()
        await street.stick_camera()
        while not await repeats():
            pass
        await street.unstick_camera()
        while await repeats():
            pass
