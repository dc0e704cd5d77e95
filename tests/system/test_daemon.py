"""A good daemon: it says what it does, ends in order, and keeps what works when a new configuration does not."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.control_room.happenings import What
from agent.control_room.units import UnitState
from agent.signals import Category, Line, Outcome
from agent.voice.lexicon import BUNDLED_MODEL
from fakes import SPEECH
from fakes.town import UNIT_ID
from tests.voice.polish import polish_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.happenings import Happening
    from fakes.town import Town

LIMIT_S = 60.0


def statuses(folder: Path) -> list[str]:
    """What the unit's status messages said, in order."""
    lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line) for line in lines]
    return [each["payload"]["data"]["state"] for each in messages if each["topic"].endswith("/status")]


def faketime() -> str:
    """The library that tells a process another wall time."""
    return str(next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")))


async def test_an_orderly_end_leaves_the_lamp_off_and_a_last_status(
    town_with: Callable[..., Town], folder: Path
) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.street.press("panic-1")
        await town.street.lamp_is(lit=True)
        asked_s = time.monotonic()
        town.unit.terminate()
        assert await town.unit.ended() == 0
        assert time.monotonic() - asked_s < 5, "the issue allows five seconds"
        assert not town.street.lamp_lit
        await town.control_room.wait_for(
            lambda room: [unit for unit in room.desk.units.values() if unit.state is UnitState.STOPPED], LIMIT_S
        )
        said = [line for _, line in town.unit.notifications]
        assert said.index("READY=1") < said.index("STOPPING=1")
    assert statuses(folder) == ["online", "stopped"], "no last will for a unit that ended in order"


async def test_the_watchdog_is_fed_while_the_unit_works_and_starves_when_it_hangs(
    town_with: Callable[..., Town],
) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.unit.told("WATCHDOG=1", since_s=time.monotonic())
        os.kill(town.unit.pid, signal.SIGSTOP)
        hung_s = await stands_still(town)
        with pytest.raises(TimeoutError):
            await town.unit.told("WATCHDOG=1", since_s=hung_s, within_s=3.0)
        os.kill(town.unit.pid, signal.SIGCONT)
        await town.unit.told("WATCHDOG=1", since_s=time.monotonic())


async def stands_still(town: Town) -> float:
    """Wait until a stopped unit stands and all that it said before was heard; returns when that was."""
    stat = Path(f"/proc/{town.unit.pid}/stat")
    async with asyncio.timeout(LIMIT_S):
        while stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "T":  # noqa: ASYNC110, ASYNC240 - of the kernel
            await asyncio.sleep(0.01)
    heard = -1
    while heard != len(town.unit.notifications):  # one is taken in each turn of the loop
        heard = len(town.unit.notifications)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return time.monotonic()


async def test_a_reload_with_errors_keeps_the_unit_as_it_is(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        asked_s = time.monotonic()
        town.write_config(lamp={"pin": "none"})
        town.unit.reload()
        await town.unit.told("STATUS=The new configuration has errors", since_s=asked_s)
        await town.unit.logged("lamp.pin")
        await town.street.press("panic-1")
        await town.alert(Category.HELP)


async def test_a_new_configuration_on_a_disk_that_hangs_holds_up_no_button(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        good = town.config_file.read_text(encoding="utf-8")
        town.config_file.unlink()
        os.mkfifo(town.config_file)  # whoever reads it waits for a writer
        asked_s = time.monotonic()
        town.unit.reload()
        async with asyncio.timeout(LIMIT_S):
            while (writer := _opened(town.config_file)) is None:  # noqa: ASYNC110 - nor does a pipe tell
                await asyncio.sleep(0.02)  # until the unit reads it
        await town.street.press("panic-1")
        await town.alert(Category.HELP)
        with os.fdopen(writer, "w", encoding="utf-8") as file:
            file.write(good)
        await town.unit.told("READY=1", since_s=asked_s)


def _opened(pipe: Path) -> int | None:
    """A pipe for writing; None while nobody reads it."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


async def test_a_reload_is_taken_and_an_open_call_lives_through_it(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        asked_s = time.monotonic()
        town.write_config(unit={"name": "The renamed unit"})
        town.unit.reload()
        await town.unit.told("READY=1", since_s=asked_s)
        acknowledged_s = time.monotonic()
        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.street.heard_line(Line.SEEN, since_s=acknowledged_s)
        await town.control_room.close_alert(call.alert_id, Outcome.TEST, "reload", "op-1")
        await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        assert "The renamed unit" in call.latest.data["headline"]
        assert len(town.known()) == 1, "the same call, not another one"


async def test_a_camera_taken_out_of_service_during_a_call_leaves_the_call_alive(
    town_with: Callable[..., Town],
) -> None:
    camera = {"enabled": True, "width_px": 320, "height_px": 180}
    async with town_with(camera=camera, footage={"pre_event_s": 1.0, "post_event_s": 6.0}) as town:
        await town.start_unit()
        await town.street.connected("camera")
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        asked_s = time.monotonic()
        town.write_config(camera={"enabled": False})
        town.unit.reload()
        await town.unit.told("READY=1", since_s=asked_s)
        await town.control_room.close_alert(call.alert_id, Outcome.TEST, "reload", "op-1")
        await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        await town.control_room.wait_for(lambda _: call.latest.data["evidence"]["clip"]["status"] == "failed", LIMIT_S)


async def test_a_restart_without_an_end_is_seen_as_lost_and_then_restarted(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        town.unit.kill()
        await town.unit.ended()
        await town.control_room.wait_for(
            lambda room: [unit for unit in room.desk.units.values() if unit.state is UnitState.LOST], LIMIT_S
        )
        told: list[Happening] = []
        town.control_room.listen(told.append)
        await town.start_unit()
        await town.control_room.wait_for(
            lambda room: [unit for unit in room.desk.units.values() if unit.state is UnitState.ONLINE], LIMIT_S
        )
        (restarted,) = [each for each in told if each.what is What.UNIT_RESTARTED]
        assert "its program began anew (start 2), its connection had died" in restarted.text


async def test_a_unit_without_its_certificates_lives_and_calls_as_soon_as_they_are_there(
    town_with: Callable[..., Town], folder: Path
) -> None:
    async with town_with() as town:
        key = folder / f"authority/{UNIT_ID}.key"
        taken = key.rename(folder / "taken.key")
        await town.unit.start()
        await town.unit.ready()
        await town.street.press("panic-1")
        await town.street.lamp_is(lit=True)
        taken.rename(key)
        call = await town.alert(Category.HELP)
        fault = await town.alert(Category.FAULT)
        assert f"key_file {key} cannot be read" in json.dumps(fault.latest.data)
        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.control_room.wait_for(
            lambda _: fault.closed, 2 * LIMIT_S
        )  # the files are looked at each half minute
        assert "READY=1" not in [line for at_s, line in town.unit.notifications if at_s > town.unit.started_s][1:]


async def test_a_unit_that_wakes_up_in_1970_calls_for_help_over_tls(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.unit.start(
            LD_PRELOAD=faketime(),
            FAKETIME="@1970-01-01 00:00:05",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            FAKETIME_DONT_RESET="1",
        )
        await town.unit.ready()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        assert call.latest.data["clock"]["quality"] == "unsynced"
        assert call.happened.year == 1970
        unit = await town.control_room.wait_for(
            lambda room: [each for each in room.desk.units.values() if "certificate" in each.heartbeat], LIMIT_S
        )
        assert unit[0].heartbeat["certificate"]["judgedBy"] == "issued"
        await town.unit.logged("by=issued")


async def test_a_unit_whose_voice_model_went_bad_starts_without_its_voice_and_says_so(
    town_with: Callable[..., Town], folder: Path
) -> None:
    model = shutil.copytree(BUNDLED_MODEL, folder / "model")
    async with town_with(voice={"enabled": True, "model": str(model)}) as town:
        network = model / "am/final.mdl"
        network.write_bytes(network.read_bytes()[:-1])
        await town.start_unit()
        fault = await town.alert(Category.FAULT)
        assert "am/final.mdl is not as it was made" in json.dumps(fault.latest.data)
        await town.street.press("panic-1")
        await town.alert(Category.HELP)
        town.unit.reload()  # now somebody is there who can put it right
        await town.unit.told("STATUS=The new configuration has errors", since_s=town.unit.started_s)


async def test_a_unit_whose_further_language_went_missing_hears_its_main_one_and_says_so(
    town_with: Callable[..., Town], folder: Path
) -> None:
    model = polish_model(folder / "pl")
    polish = {"name": "pl", "model": str(model), "phrases": [{"say": "pomóż mi", "label": "pomoc"}]}
    async with town_with(voice={"enabled": True, "languages": [polish]}) as town:
        shutil.rmtree(model)
        await town.start_unit()
        fault = await town.alert(Category.FAULT)
        assert f"there is no voice model at {model}" in json.dumps(fault.latest.data)
        assert "The main language is heard." in json.dumps(fault.latest.data)
        await town.street.say(SPEECH / "help-me-slt.wav")
        await town.alert(Category.HELP)
