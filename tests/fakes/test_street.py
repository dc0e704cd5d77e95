from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from gpiozero import Button, OutputDevice

from agent.config.hearing import VoiceSettings
from agent.hw.kit import HardwareLost
from fakes import plugs
from fakes.street import Street
from fakes.witness import LIMIT_S
from tests.fakes.on_street import (
    BUTTON,
    LAMP,
    CountedSound,
    camera_on,
    eventually,
    kit_on,
    pins_of,
    small_unit,
    unit_config,
)

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_unit_in_its_own_process_lights_its_lamp(street: Street) -> None:
    async with small_unit(street):
        await street.connected("pins")
        await street.hold("panic-1")
        lit_s = await street.lamp_is(lit=True)
        let_go_s = await street.let_go("panic-1")
        assert lit_s < let_go_s < await street.lamp_is(lit=False, since_s=let_go_s)


async def test_a_button_held_through_a_kill_is_still_held_for_the_next_unit(street: Street) -> None:
    async with small_unit(street) as unit:
        await street.connected("pins")
        pressed_s = await street.hold("panic-1")
        await street.lamp_is(lit=True, since_s=pressed_s)
        unit.kill()
        await unit.wait()
        await eventually(street, lambda: "pins" not in street._reception.devices)
    assert street.lamp_lit  # the last level stays on the pin of a process that died
    killed_s = time.monotonic()
    async with small_unit(street):
        dark_s = await street.lamp_is(lit=False, since_s=killed_s)
        await street.lamp_is(lit=True, since_s=dark_s)
    await street.lamp_is(lit=False)


async def test_a_unit_that_dies_in_the_middle_of_a_press_harms_nobody(street: Street) -> None:
    async with small_unit(street) as unit:
        await street.connected("pins")
        press = asyncio.create_task(street.press("panic-1", held_s=0.3))
        await street.lamp_is(lit=True)
        unit.kill()
        await unit.wait()
        await press
    async with pins_of(street) as pins:
        assert not Button(BUTTON, pull_up=True, pin_factory=pins).is_pressed


async def test_a_unit_that_hangs_does_not_hold_up_the_street(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugs, "DRIVEN_WITHIN_S", 2.0)
    async with small_unit(street) as unit:
        await street.connected("pins")
        unit.send_signal(signal.SIGSTOP)
        before_s = time.monotonic()
        assert await street.hold("panic-1") < before_s + LIMIT_S
        unit.send_signal(signal.SIGCONT)
        await street.lamp_is(lit=True)


async def test_a_street_can_be_left_with_everything_still_plugged_in(tmp_path: Path) -> None:
    async with AsyncExitStack() as unit:
        async with Street(unit_config(), tmp_path, CountedSound()) as street:
            pins = await unit.enter_async_context(pins_of(street))
            await unit.enter_async_context(camera_on(street))
            microphone = await asyncio.to_thread(kit_on(street).microphone, VoiceSettings())
            lamp = OutputDevice(LAMP, pin_factory=pins)
        lamp.on()  # nobody looks any more, and nothing breaks
        with pytest.raises(HardwareLost, match="unplugged"):
            await asyncio.to_thread(list[object], microphone.blocks())
        microphone.close()


async def test_the_streets_own_mistakes_are_not_hidden(tmp_path: Path) -> None:
    class BrokenSound(CountedSound):
        def next_block(self) -> bytes:
            msg = "the recording is missing"
            raise OSError(msg)

    async with AsyncExitStack() as leaving:
        street = await leaving.enter_async_context(Street(unit_config(), tmp_path, BrokenSound()))
        assert street._sounding is not None
        await asyncio.wait({street._sounding})
        with pytest.raises(OSError, match="the recording is missing"):
            await leaving.aclose()


async def test_a_folder_too_deep_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too long for a Unix socket"):
        Street(unit_config(), tmp_path / ("deep" * 30), CountedSound())
