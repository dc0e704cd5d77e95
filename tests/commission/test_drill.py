"""The weekly drill: one button to an operator and back, and nothing else is a test meanwhile."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from agent.cli.main import main
from agent.commission.drill import FILE_NAME, NoDrill, button_of, drill, record
from agent.local.client import LocalUnit
from agent.signals import Category
from fakes.town import LIMIT_S
from tests.incidents.driven_unit import config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.control_room.room import ControlRoom
    from fakes.town import Town

PATIENT = {"escalate_help_s": LIMIT_S, "operator_late_help_s": LIMIT_S - 1}
IMPATIENT = {"escalate_help_s": 0.2, "operator_late_help_s": 0.1}


async def under_way(town: Town) -> None:
    """The control room knows that somebody makes a test."""

    def testing(room: ControlRoom) -> bool:
        return any(each.heartbeat.get("local", {}).get("walkTest") for each in room.desk.units.values())

    await town.control_room.wait_for(testing, LIMIT_S)


async def test_a_drill_goes_to_an_operator_and_back_and_the_next_call_is_real(town_with: Callable[..., Town]) -> None:
    async with town_with(commissioned=True, incidents=PATIENT) as town:
        await town.start_unit()
        async with LocalUnit(town.config) as unit:
            button = button_of(town.config, None)
            drilling = asyncio.create_task(drill(town.config, button, unit, pressed_within_s=LIMIT_S))
            await under_way(town)
            await town.street.press(button.name)
            alert = await town.alert(Category.HELP)
            assert alert.test
            await town.control_room.acknowledge(alert.alert_id, "op-7")
            done = await drilling
        assert (done.passed, done.operator_ref, done.alert_id) == (True, "op-7", alert.alert_id)
        record(town.state_folder, done)
        record(town.state_folder, done)
        kept = [json.loads(line) for line in (town.state_folder / FILE_NAME).read_text().splitlines()]
        assert [each["passed"] for each in kept] == [True, True]
        await town.street.press(button.name)
        real = await town.alert(Category.HELP, after=frozenset({alert.alert_id}))
        assert not real.test
        async with LocalUnit(town.config) as unit:
            with pytest.raises(NoDrill, match="a call for help goes on"):
                await drill(town.config, button, unit, pressed_within_s=LIMIT_S)


async def test_a_drill_that_nobody_answers_fails(town_with: Callable[..., Town]) -> None:
    async with town_with(commissioned=True, incidents=IMPATIENT) as town:
        await town.start_unit()
        async with LocalUnit(town.config) as unit:
            button = button_of(town.config, "panic-1")
            drilling = asyncio.create_task(drill(town.config, button, unit, pressed_within_s=LIMIT_S))
            await under_way(town)
            await town.street.press(button.name)
            done = await drilling
        assert not done.passed
        assert "nobody in the control room answered" in done.text


async def test_a_drill_in_which_nobody_presses_fails(town_with: Callable[..., Town]) -> None:
    async with town_with(commissioned=True) as town:
        await town.start_unit()
        async with LocalUnit(town.config) as unit:
            done = await drill(town.config, button_of(town.config, None), unit, pressed_within_s=0.1)
    assert (done.passed, done.text) == (False, "it was not pressed within 0 s")


def test_the_button_for_silent_calls_is_drilled_unless_another_is_named() -> None:
    assert button_of(config(), None).name == "counter-1"
    assert button_of(config(), "panic-1").name == "panic-1"
    with pytest.raises(NoDrill, match="there are: panic-1, counter-1"):
        button_of(config(), "pir-1")


def test_without_a_running_agent_there_is_no_drill(
    town_with: Callable[..., Town], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = town_with(commissioned=True)
    assert main(["drill", "--config", str(town.config_file)]) == 2
    assert capsys.readouterr().err.startswith("safepoint: the agent does not run on this unit")
    assert not (folder / "state" / FILE_NAME).exists()
