"""What is to be proved of which unit, and what the results amount to."""

from __future__ import annotations

import pytest

from agent.commission.course import Course, Kind, Outcome, Result, Step, Verdict
from agent.commission.plan import steps_of
from agent.config.hearing import PhraseSettings, VoiceSettings
from agent.config.settings import AlternatePathSettings, SpeakerSettings, UplinkSettings
from tests.incidents.driven_unit import config

A, B, LAST = Step("a", Kind.LAMP, "A"), Step("b", Kind.URN, "B", optional=True), Step("c", Kind.COUNTERSIGN, "C")


def result(outcome: Outcome = Outcome.PASSED) -> Result:
    return Result(outcome, "so it was", "2026-11-22T20:00:00+00:00")


def course(**results: Outcome) -> Course:
    return Course([A, B, LAST], {step_id: result(outcome) for step_id, outcome in results.items()})


def test_steps_come_in_their_order_and_each_once() -> None:
    walk = course()
    for step in (A, B, LAST):
        assert walk.next() is step
        assert walk.verdict is Verdict.OPEN
        walk.record(step, result())
    assert walk.next() is None
    assert walk.verdict is Verdict.PASSED


def test_one_failed_step_makes_the_whole_not_pass() -> None:
    assert course(a=Outcome.FAILED, b=Outcome.PASSED, c=Outcome.PASSED).verdict is Verdict.NOT_PASSED


def test_nobody_countersigns_while_a_step_stands_in_the_way() -> None:
    walk = course(a=Outcome.FAILED, b=Outcome.PASSED)
    assert walk.next() is None
    assert walk.in_the_way() == [A]
    walk.undo("a")
    assert walk.next() is A


def test_what_is_done_again_is_countersigned_again() -> None:
    walk = course(a=Outcome.PASSED, b=Outcome.PASSED, c=Outcome.PASSED)
    walk.undo("b")
    assert [step.id for step in walk.steps if step.id not in walk.results] == ["b", "c"]


def test_what_alarms_depend_on_is_not_skipped() -> None:
    walk = course()
    with pytest.raises(ValueError, match="cannot be skipped"):
        walk.record(A, result(Outcome.SKIPPED))
    walk.record(B, result(Outcome.SKIPPED))
    assert course(a=Outcome.PASSED, b=Outcome.SKIPPED, c=Outcome.PASSED).verdict is Verdict.PASSED


def test_results_of_steps_that_there_are_no_more_are_dropped() -> None:
    assert course(a=Outcome.PASSED, gone=Outcome.FAILED).verdict is Verdict.OPEN


def test_every_sensor_of_a_unit_is_walked_and_every_path_is_cut() -> None:
    phrases = (PhraseSettings(say="help me", label="help-me"),)
    whole = config(
        voice=VoiceSettings(enabled=True, phrases=phrases),
        speaker=SpeakerSettings(enabled=True),
        uplink=UplinkSettings(
            broker="mqtt://a:1883", insecure_lab=True, alternate=AlternatePathSettings(broker="mqtt://b:1883")
        ),
    )
    steps = steps_of(whole)
    walked = {step.of for step in steps if step.kind is Kind.WALK}
    assert walked == {each.name for each in whole.inputs} | {"mic-1", "cam-1"}
    assert [step.of for step in steps if step.kind is Kind.CABLE] == ["primary", "alternate"]
    assert [step.of for step in steps if step.kind is Kind.PHRASE] == ["1", "2", "5"]
    assert steps[-1].kind is Kind.COUNTERSIGN
    assert len({step.id for step in steps}) == len(steps)
    assert {step.id for step in steps if step.optional} == {"pspo", "urn", "still.night", "phrase.5m"}


def test_a_unit_is_asked_for_nothing_that_it_does_not_have() -> None:
    bare = config(camera=config().camera.model_copy(update={"enabled": False}), lamp=None, inputs=config().inputs[:1])
    kinds = {step.kind for step in steps_of(bare)}
    assert kinds & {Kind.AIM, Kind.STILL, Kind.DISK, Kind.LAMP, Kind.LOOP, Kind.PHRASE} == set()
