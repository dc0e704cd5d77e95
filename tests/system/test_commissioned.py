"""A unit that nobody walk-tested where it is says so, and raises nothing but tests."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from agent.commission.standing import FILE_NAME
from agent.local.client import LocalUnit
from agent.local.messages import ReadCommissioning
from agent.signals import Category
from fakes.commissioned import commission
from fakes.town import LIMIT_S, Town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.control_room.room import ControlRoom

QUICK = {"heartbeat_s": 1.0}


def standing(state: str) -> Callable[[ControlRoom], dict[str, Any] | None]:
    """What the heartbeat says of the commissioning, once it is this."""

    def look(room: ControlRoom) -> dict[str, Any] | None:
        told = (unit.heartbeat.get("commissioning", {}) for unit in room.desk.units.values())
        return next((dict(each) for each in told if each.get("state") == state), None)

    return look


async def test_until_it_is_commissioned_every_alert_is_a_test_and_from_then_on_none_is(
    town_with: Callable[..., Town], folder: Path
) -> None:
    async with town_with(uplink=QUICK, lamp={"on_motion": "never"}) as town:
        (folder / "state" / FILE_NAME).unlink()
        await town.start_unit()
        await town.street.press("panic-1")
        test = await town.alert(Category.HELP)
        assert test.test
        assert test.headline.startswith(f"TEST {test.latest.data['testCode']} - ")
        assert (await town.control_room.wait_for(standing("none"), LIMIT_S))["test"] is True
        commission(town.config)
        async with LocalUnit(town.config) as unit:
            await unit.do(ReadCommissioning())
        await town.control_room.wait_for(standing("passed"), LIMIT_S)
        await town.street.press("panic-1")
        real = await town.alert(Category.HELP, after=frozenset({test.alert_id}))
        assert not real.test, "though the test is still going on"
        assert town.control_room.refused == 0


async def test_a_changed_sensor_is_untested_and_nothing_else_is(town_with: Callable[..., Town], folder: Path) -> None:
    async with town_with(uplink=QUICK) as town:
        inputs = [each.model_dump(mode="json") for each in town.config.inputs]
        tamper = next(each for each in inputs if each["kind"] == "tamper")
        tamper["pin"] = 26
        kept = (folder / "state" / FILE_NAME).read_bytes()
        town.rebuild(inputs=inputs)
        (folder / "state" / FILE_NAME).write_bytes(kept)
        await town.start_unit()
        told = await town.control_room.wait_for(standing("partly"), LIMIT_S)
        assert (told["test"], told["untested"]) == (False, [tamper["name"]])
        assert "not tested" in (await town.alert(Category.FAULT)).headline
        await town.street.press("panic-1")
        assert not (await town.alert(Category.HELP)).test


async def test_what_the_unit_did_not_sign_commissions_nothing(town_with: Callable[..., Town], folder: Path) -> None:
    async with town_with(uplink=QUICK) as town:
        kept = json.loads((folder / "state" / FILE_NAME).read_bytes())
        kept["sealed"]["result"]["engineer"] = "somebody else"
        await asyncio.to_thread((folder / "state" / FILE_NAME).write_text, json.dumps(kept))
        await town.start_unit()
        assert (await town.control_room.wait_for(standing("invalid"), LIMIT_S))["test"] is True
        await town.street.press("panic-1")
        assert (await town.alert(Category.HELP)).test
