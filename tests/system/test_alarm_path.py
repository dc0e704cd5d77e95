"""The alarm path needs nothing but itself (design rule 1)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from agent.signals import Category, Line
from fakes.hung_disk import HungDisk, NoHungDisk
from fakes.town import ORG, UNIT_ID
from tests.system.stand_in import HELPERS_ON_ANOTHER_DISK, SLOW_TO_OPEN_COMMANDS, UNRULY_RECORDER
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town

LIMIT_S = 60.0
WITH_HELPERS = {"voice": {"enabled": True}, "camera": {"enabled": True, "width_px": 320, "height_px": 180}}


async def a_call_goes_through(town: Town) -> None:
    """Lamp, voice, control room: the whole of it."""
    before = town.known()
    pressed_s = await town.street.press("panic-1")
    await town.street.lamp_is(lit=True, since_s=pressed_s)
    call = await town.alert(Category.HELP, after=before)
    await town.street.heard_line(Line.RECEIVED, since_s=pressed_s)
    assert not call.late


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_call_goes_through_with_both_helpers_dead_or_hung(
    town_with: Callable[..., Town], how: signal.Signals
) -> None:
    async with town_with(**WITH_HELPERS) as town:
        await town.start_unit()
        await town.street.connected("camera")
        await town.street.connected("microphone")
        for pid in town.unit.children().values():
            os.kill(pid, how)
        await a_call_goes_through(town)


@pytest.mark.parametrize("how", ["flood", "complain", "half", "deaf"])
async def test_a_call_goes_through_with_a_recorder_that_misuses_its_line(
    town_with: Callable[..., Town], folder: Path, how: str
) -> None:
    """It does so in every life, and every life is started in the place of the real recorder."""
    (folder / "always").touch()
    (folder / "sitecustomize.py").write_text(UNRULY_RECORDER.format(how=how, folder=folder))
    async with town_with(camera=WITH_HELPERS["camera"]) as town:
        await town.unit.start(PYTHONPATH=str(folder))
        await town.unit.ready()
        async with asyncio.timeout(LIMIT_S):
            while not (folder / "lived-before").exists():  # noqa: ASYNC110 - a process cannot set an event
                await asyncio.sleep(0.02)
        await a_call_goes_through(town)


async def test_a_call_goes_through_while_the_disk_does_not_give_the_helpers_program(
    town_with: Callable[..., Town], folder: Path
) -> None:
    program = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'.encode()
    try:
        disk = HungDisk(folder / "disk", {"python": program})
    except NoHungDisk as why:
        pytest.skip(f"NO DISK CAN BE MADE TO HANG HERE: {why}")
    with disk:
        (folder / "sitecustomize.py").write_text(HELPERS_ON_ANOTHER_DISK.format(program=str(folder / "disk/python")))
        async with town_with(**WITH_HELPERS) as town:
            disk.hang()
            await town.unit.start(PYTHONPATH=str(folder))
            await town.unit.ready()
            await until(disk.asked.is_set, "the disk was asked for a helper")
            await a_call_goes_through(town)
            faults = await town.control_room.wait_for(
                lambda room: [each for each in room.alerts.values() if "cannot be started" in each.headline], LIMIT_S
            )
            disk.answer()
            await town.street.connected("camera")
            await town.control_room.wait_for(lambda _: all(fault.closed for fault in faults), LIMIT_S)


async def test_a_call_goes_through_without_camera_and_microphone(town_with: Callable[..., Town]) -> None:
    async with town_with(**WITH_HELPERS) as town:
        await town.street.unplug_camera()
        await town.street.unplug_microphone()
        await town.start_unit()
        await a_call_goes_through(town)
        faults = await town.control_room.wait_for(
            lambda room: [each for each in room.alerts.values() if each.category is Category.FAULT], LIMIT_S
        )
        assert faults, "what is missing is told"


async def test_a_call_goes_through_without_a_disk(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        nowhere = town.state_folder
        shutil.rmtree(nowhere)
        nowhere.write_text("not a folder: the volume is not there")
        await town.start_unit()
        await a_call_goes_through(town)
        await town.control_room.wait_for(
            lambda room: any("outbox" in each.headline or "storage" in each.headline for each in room.alerts.values()),
            LIMIT_S,
        )


async def test_a_call_goes_through_while_the_file_of_commands_does_not_open(
    town_with: Callable[..., Town], folder: Path
) -> None:
    gate = folder / "gate"
    (folder / "sitecustomize.py").write_text(SLOW_TO_OPEN_COMMANDS.format(gate=str(gate)))
    async with town_with() as town:
        try:
            await town.unit.start(PYTHONPATH=str(folder))
            await town.unit.ready()
            await a_call_goes_through(town)
        finally:
            gate.touch()
        await town.control_room.test_alert(ORG, UNIT_ID, "op-1")
        await town.alert(Category.TEST)


async def test_a_call_without_a_network_lights_the_lamp_speaks_and_is_kept(town_with: Callable[..., Town]) -> None:
    async with town_with(incidents={"receiver_late_s": 1.0}, uplink={"late_after_s": 1.0}) as town:
        await town.start_unit()
        await town.broker.stop()
        pressed_s = await town.street.press("panic-1")
        await town.street.lamp_is(lit=True, since_s=pressed_s)
        await town.street.heard_line(Line.NO_CONNECTION, since_s=pressed_s)
        town.unit.kill()
        await town.unit.ended()
        await town.unit.start()
        await town.unit.ready()
        await town.broker.start()
        call = await town.alert(Category.HELP)
        assert call.late
        waited_s = call.first.received.monotonic_s - pressed_s
        told_s = (call.first.received.wall - call.first.happened).total_seconds()
        assert abs(told_s - waited_s) < 1, "its own time, not that of its arrival"


async def test_a_call_before_the_first_link_goes_out_when_there_is_one(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.broker.stop()
        await town.unit.start()
        await town.unit.ready()
        pressed_s = time.monotonic()
        await town.street.press("panic-1")
        await town.street.lamp_is(lit=True, since_s=pressed_s)
        await town.broker.start()
        await town.alert(Category.HELP)


async def test_a_unit_without_pins_says_so_and_still_hears_the_control_room(town_with: Callable[..., Town]) -> None:
    nowhere = {"kit": "street", "options": {"street": "no-such-street"}}
    async with town_with(hardware=nowhere, incidents={"receiver_late_s": 5.0}) as town:
        await town.start_unit()
        fault = await town.alert(Category.FAULT)
        assert "panel" in fault.headline
        await town.control_room.test_alert(ORG, UNIT_ID, "op-1")
        await town.alert(Category.TEST)
        await town.unit.told("WATCHDOG=1", since_s=time.monotonic())
