"""What an engineer did is there again after a dropped session, unless the configuration makes it void."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.commission.course import Outcome, Result
from agent.commission.session import FILE_NAME, FOLDER_NAME, SessionBusy, SessionDamaged, opened
from tests.incidents.driven_unit import config

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config

RESULT = Result(Outcome.PASSED, "so it was", "2026-11-22T20:00:00+00:00", {"receivedAfterS": 0.4})


@pytest.fixture
def unit(tmp_path: Path) -> Config:
    """A unit whose whole walk test was passed, but for the countersignature."""
    settings = config(state_folder=tmp_path)
    with opened(settings) as (session, _):
        for step in session.course.steps[:-1]:
            session.course.record(step, RESULT)
        session.save()
    return settings


def test_what_was_done_is_there_again(unit: Config) -> None:
    with opened(unit) as (session, again):
        assert (session.resumed, again) == (True, [])
        step = session.course.next()
        assert step is session.course.steps[-1]
        assert session.course.results["walk.pir-1"] == RESULT


def test_what_a_step_has_to_remember_is_there_again(unit: Config) -> None:
    with opened(unit) as (session, _):
        session.kept.progress["power"] = {"boot": "boot-1"}
        session.save()
    with opened(unit) as (session, _):
        assert session.kept.progress == {"power": {"boot": "boot-1"}}


def test_a_sensor_that_was_changed_is_walked_again_and_nothing_else(unit: Config) -> None:
    inputs = [each.model_copy(update={"pin": 26}) if each.name == "pir-1" else each for each in unit.inputs]
    with opened(unit.model_copy(update={"inputs": tuple(inputs)})) as (session, again):
        assert again == ["walk.pir-1"]
        assert session.course.next() == next(step for step in session.course.steps if step.id == "walk.pir-1")


def test_elsewhere_everything_is_done_again(unit: Config) -> None:
    moved = unit.model_copy(update={"unit": unit.unit.model_copy(update={"location": "elsewhere"})})
    with opened(moved) as (session, again):
        assert session.course.results == {}
        assert "dpia" in again


def test_a_sensor_that_was_added_is_walked(unit: Config) -> None:
    more = unit.inputs[2].model_copy(update={"name": "pir-2", "pin": 20})
    with opened(unit.model_copy(update={"inputs": (*unit.inputs, more)})) as (session, again):
        assert again == []
        step = session.course.next()
        assert step is not None
        assert step.id == "walk.pir-2"


def test_one_engineer_at_a_time(unit: Config) -> None:
    with opened(unit), pytest.raises(SessionBusy), opened(unit):
        pass
    with opened(unit):
        pass


def test_a_damaged_session_is_begun_anew_only_when_somebody_says_so(unit: Config) -> None:
    (unit.state_folder / FOLDER_NAME / FILE_NAME).write_text('{"session": 1')
    with pytest.raises(SessionDamaged, match="--again"), opened(unit):
        pass
    with opened(unit, anew=True) as (session, _):
        assert session.course.results == {}
