"""The unit that listens: it hears itself, a call by voice is read back, and the phrase is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.commission.bench import Bench, Patience
from agent.commission.course import Outcome
from agent.commission.session import opened
from agent.commission.steps import DONE_BY
from agent.commission.talk import Talk
from agent.local.client import LocalUnit
from agent.signals import Category
from fakes.sound import StreetSound
from fakes.town import LIMIT_S
from tests.commission.engineer import Board, Engineer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town

VOICE = {"enabled": True, "refractory_s": 1.0, "self_test": {"enabled": True}}
PATIENCE = Patience(person_s=LIMIT_S, unit_s=LIMIT_S, operator_s=LIMIT_S, phrase_s=LIMIT_S, phrases=2)
STEPS = ("loop", "walk.mic-1", "phrase.2m")


async def test_the_unit_hears_itself_and_whoever_calls(town_with: Callable[..., Town]) -> None:
    town = town_with(voice=VOICE, lamp={"on_motion": "never"})
    town.sound = StreetSound(level_dbfs=-60.0)
    async with town:
        await town.start_unit()
        await town.street.connected("microphone")
        engineer = Engineer(town)
        with opened(town.config) as (session, _):
            async with LocalUnit(town.config) as unit:
                bench = Bench(town.config, Talk(engineer, {}), unit, Board(_no_picture), session, PATIENCE)
                steps = {step.id: step for step in session.course.steps}
                results = [await DONE_BY[steps[step_id].kind](steps[step_id], bench) for step_id in STEPS]
        await engineer.home()
        loop, walk, phrase = results
        assert [each.outcome for each in results] == [Outcome.PASSED] * 3, "\n".join(engineer.lines)
        assert -40 < loop.facts["levelDbfs"] < 0
        assert walk.facts["category"] == Category.HELP
        assert (phrase.facts["heard"], phrase.facts["of"], phrase.facts["label"]) == (2, 2, "help-me")
        assert all(alert.test for alert in town.control_room.alerts.values() if alert.category is Category.HELP)


def _no_picture() -> Any:  # noqa: ANN401 - never
    raise AssertionError
