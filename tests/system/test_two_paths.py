"""A unit with two ways to the control room: the loss of one is told over the other, and the unit is not lost."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.control_room.happenings import What
from agent.control_room.room import ControlRoom
from agent.signals import Category
from agent.uplink.publication import Subscription
from agent.uplink.topics import UnitTopics
from fakes.broker import CONTROL_ROOM, Broker
from fakes.town import ORG, UNIT_ID
from tests.system.two_ways import both_up, two_ways
from tests.uplink.chaos.rough_network import CALM, End, Fault
from tests.uplink.lab import Ear, linked, passing, until

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from agent.control_room.happenings import Happening
    from fakes.town import Town

LIMIT_S = 120.0
SOON = "import agent.uplink.path_watch as watch; watch.UNHEARD_AFTER_S = {seconds}"
RECALLED_SOON = "import agent.uplink.path_watch as watch; watch.RECALL_AFTER_S = {seconds}"


async def test_the_loss_of_a_path_is_told_over_the_other_and_its_return_too(town_with: Callable[..., Town]) -> None:
    town = town_with()
    happened: list[Happening] = []
    async with two_ways(town, heartbeat_s=2.0) as first, town:
        town.control_room.listen(happened.append)
        await town.start_unit()
        await both_up(town, LIMIT_S)
        first.always = Fault(end=End.RESET, end_after=0)
        first.strike(End.RESET)
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        assert call.first.data["path"]["used"] == "alternate"
        fault = await town.alert(Category.FAULT)
        assert "The primary path to the control room does not work" in fault.headline
        first.always = CALM
        await town.control_room.wait_for(lambda _: fault.latest.data["state"] == "closed", LIMIT_S)
        assert fault.latest.data["outcome"]["code"] == "restored"
        assert What.UNIT_LOST not in {each.what for each in happened}


async def test_a_path_that_nobody_hears_is_a_fault_until_somebody_does(
    town_with: Callable[..., Town], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(SOON.format(seconds=3.0), encoding="utf-8")
    here = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "site"), here]))
    town = town_with()
    async with Broker(folder / "deaf", town.authority, org=ORG) as deaf:
        town.rebuild(uplink={"alternate": {"broker": deaf.url}, "heartbeat_s": 1.0})
        async with town:
            await town.start_unit()
            fault = await town.alert(Category.FAULT)
            assert "Nobody listens at the end of the alternate path" in fault.headline
            endpoint = replace(town.endpoint, port=deaf.port)
            async with ControlRoom(endpoint, CONTROL_ROOM, SystemClock(), org=ORG):
                await town.control_room.wait_for(lambda _: fault.latest.data["state"] == "closed", LIMIT_S)
            assert fault.latest.data["outcome"]["code"] == "restored"


async def test_whoever_comes_after_the_last_will_of_one_path_is_told_that_the_unit_lives(
    town_with: Callable[..., Town], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(RECALLED_SOON.format(seconds=3.0), encoding="utf-8")
    here = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "site"), here]))
    status = UnitTopics(ORG, UNIT_ID).status
    wanted = (Subscription(status, retain_as_published=True),)
    town = town_with()
    ear = Ear()

    def states() -> list[str]:
        return [json.loads(said.payload)["data"]["state"] for said in ear.heard]

    async with two_ways(town, heartbeat_s=2.0) as first, town:
        await town.start_unit()
        await both_up(town, LIMIT_S)
        async with linked(town.endpoint, passing("watcher", wanted), on_message=ear):
            first.always = Fault(end=End.RESET, end_after=0)
            first.strike(End.RESET)
            await until(lambda: "lost" in states(), "the broker tells the last will of the first path")
            await until(lambda: states()[-1] == "online", "the unit says over the other path that it lives")
        late = Ear()
        async with linked(town.endpoint, passing("late", wanted), on_message=late):
            await until(lambda: late.heard, "the broker tells a foreign console what it keeps")
        assert late.heard[0].retain
        assert json.loads(late.heard[0].payload)["data"]["state"] == "online"
