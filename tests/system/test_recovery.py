"""A unit restarts its machine when nothing else brings its recording back: not during a call, not without a word."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.reboot import REQUEST
from agent.signals import Category, Outcome
from tests.system.stand_in import IMPATIENT_UNIT, UNRULY_RECORDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.control_room.alerts import Alert
    from agent.control_room.room import ControlRoom
    from fakes.town import Town

LIMIT_S = 60.0


def fault(words: str) -> Callable[[ControlRoom], Alert | None]:
    """The alert of a fault that says this."""

    def look(room: ControlRoom) -> Alert | None:
        faults = (each for each in room.alerts.values() if each.category is Category.FAULT)
        return next((each for each in faults if words in each.headline), None)

    return look


def closed(alert: Alert) -> Callable[[ControlRoom], bool]:
    return lambda _: bool(alert.latest.data["state"] == "closed")


async def test_a_unit_restarts_its_machine_after_the_call_and_tells_how_it_went(
    town_with: Callable[..., Town], folder: Path
) -> None:
    runtime = folder / "run"
    runtime.mkdir()
    (folder / "always").touch()
    (folder / "sitecustomize.py").write_text(UNRULY_RECORDER.format(how="crash", folder=folder) + IMPATIENT_UNIT)
    world = {"PYTHONPATH": str(folder), "RUNTIME_DIRECTORY": str(runtime)}
    async with town_with(camera={"enabled": True, "width_px": 320, "height_px": 180}) as town:
        room = town.control_room
        await town.unit.start(**world, BOOT_ID="boot-1")
        await town.unit.ready()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        async with asyncio.timeout(LIMIT_S):
            while "reboot_held_back why=call" not in town.unit.log:  # noqa: ASYNC110 - a log cannot set an event
                await asyncio.sleep(0.05)
        assert not (runtime / REQUEST).exists()
        await room.close_alert(call.alert_id, Outcome.TEST, "a test", "op-1")
        asked = await room.wait_for(fault("restart its machine"), LIMIT_S)
        async with asyncio.timeout(LIMIT_S):
            while not (runtime / REQUEST).exists():  # noqa: ASYNC110 - nor can a file
                await asyncio.sleep(0.05)
        assert "boot=boot-1\n" in (runtime / REQUEST).read_text()

        town.unit.terminate()  # as the machine does when it goes down
        await town.unit.ended()
        (runtime / REQUEST).unlink()
        (folder / "always").unlink()  # it helps
        await town.unit.start(**world, BOOT_ID="boot-2")
        await town.unit.ready()
        back = await room.wait_for(fault("restarted its machine"), LIMIT_S)
        await room.wait_for(closed(asked), LIMIT_S)
        await room.wait_for(closed(back), LIMIT_S)
        assert not (runtime / REQUEST).exists()
        unit = next(iter(room.desk.units.values()))
        await room.wait_for(lambda _: unit.heartbeat.get("recovery", {}).get("reboots") == 1, LIMIT_S)
        assert unit.heartbeat["helpers"]["recorder"]["ladder"]["reboot"] == 1
