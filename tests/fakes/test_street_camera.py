from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import av
import pytest
from gpiozero import DigitalInputDevice, OutputDevice

from agent.hw.kit import HardwareLost
from fakes.witness import LIMIT_S
from tests.fakes.on_street import LAMP, PIR, camera_on, eventually, pins_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.hw.kit import Packet
    from fakes.street import Street


def brightness(packets: Iterator[Packet]) -> Iterator[float]:
    """The mean luma of picture after picture."""
    decoder = av.CodecContext.create("h264", "r")
    for packet in packets:
        for frame in decoder.decode(av.Packet(packet.data)):
            yield float(frame.to_ndarray(format="gray").mean())


def film_until(pictures: Iterator[float], change: Callable[[float], bool]) -> float:
    """Film on until a picture is so."""
    return next(picture for picture in itertools.islice(pictures, 6 * int(LIMIT_S)) if change(picture))


async def test_the_camera_sees_the_units_own_lamp(street: Street) -> None:
    async with pins_of(street) as pins, camera_on(street) as camera:
        lamp = OutputDevice(LAMP, pin_factory=pins)
        pictures = brightness(camera.packets())
        dark = await asyncio.to_thread(next, pictures)
        lamp.on()
        lit = await asyncio.to_thread(film_until, pictures, lambda mean: mean > dark + 5)
        lamp.off()
        await asyncio.to_thread(film_until, pictures, lambda mean: mean < lit - 5)


async def test_the_camera_sees_who_walks_past_as_long_as_the_pir_does(street: Street) -> None:
    async with pins_of(street) as pins, camera_on(street):
        pir = DigitalInputDevice(PIR, pull_up=False, pin_factory=pins)
        walk = asyncio.create_task(street.walk_past(for_s=0.3))
        await eventually(street, lambda: bool(pir.value))
        assert street._cameras.scene.person
        await walk
        assert not pir.value
        assert not street._cameras.scene.person


async def test_a_camera_shows_what_happened_before_it_was_there(street: Street) -> None:
    async with camera_on(street) as camera:
        bright = await asyncio.to_thread(next, brightness(camera.packets()))
    await street.cover_camera()
    async with camera_on(street) as camera:
        assert await asyncio.to_thread(next, brightness(camera.packets())) < bright - 5


async def test_an_unplugged_camera_is_lost_until_it_is_plugged_in(street: Street) -> None:
    async with camera_on(street) as camera:
        filming = asyncio.create_task(asyncio.to_thread(list[object], camera.packets()))
        await street.unplug_camera()
        with pytest.raises(HardwareLost, match="cable is loose"):
            await filming
    with pytest.raises(HardwareLost, match="cable is loose"):
        async with camera_on(street):
            pass
    await street.plug_in_camera()
    async with camera_on(street) as camera:
        assert (await asyncio.to_thread(next, camera.packets())).keyframe


async def test_a_frozen_camera_gives_no_frame_until_it_thaws(street: Street) -> None:
    await street.freeze_camera()
    async with camera_on(street) as camera:
        with pytest.raises(HardwareLost, match="no frame"):
            await asyncio.to_thread(next, camera.packets())
        await street.thaw_camera()
    async with camera_on(street) as camera:
        assert (await asyncio.to_thread(next, camera.packets())).keyframe
