"""The unit hears its own line while it tests itself, and then only."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from agent.helpers.messages import SelfTestBegun, SelfTestEnded
from agent.hw.kit import BLOCK_SAMPLES, PcmBlock
from agent.signals import Line
from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable
from agent.voice.own_ear import LISTEN_S, QUIET_S, QUIET_WITHIN_S, OwnEar, ear_for, sound_check
from agent.voice.pipeline import pipelines
from tests.voice.polish import polish_model
from tests.voice.sounds import Street, fresh_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.voice.decision import Detection
    from agent.voice.pipeline import Pipeline


HUSHED_DBFS = -62.0
"""A street by night: the gate knows it after a few seconds."""


@cache
def own_pipelines() -> Callable[[], Pipeline]:
    return pipelines(BUNDLED_MODEL, [sound_check()], (), LISTEN_S)


class Unit:
    """Both ears of a unit on one street."""

    def __init__(self) -> None:
        self.calls_ear = fresh_pipeline()
        self.own_ear = OwnEar(own_pipelines())
        self.called: list[Detection] = []
        self.answers: list[SelfTestBegun | SelfTestEnded] = []

    def hear(self, blocks: Iterable[PcmBlock]) -> None:
        for block in blocks:
            self.called += self.calls_ear.hear(block)
            if answer := self.own_ear.hear(block, asleep=self.calls_ear.asleep):
                self.answers.append(answer)

    def hear_until_begun(self, street: Street) -> None:
        self.hear(street.blocks(5))
        self.own_ear.ask(1)
        while not self.answers:
            self.hear(street.blocks(0.1))
        assert self.answers == [SelfTestBegun(1)]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_unit_hears_its_line_and_how_loud_it_was(seed: int) -> None:
    street, unit = Street(seed), Unit()
    unit.hear_until_begun(street)
    spoken_s = street.now_s
    street.speak(Line.SOUND_CHECK)
    unit.hear(street.blocks(5))
    _, answer = unit.answers
    assert isinstance(answer, SelfTestEnded)
    assert answer.level_dbfs == pytest.approx(-25, abs=3), "-18 dBFS, 7 dB less at the microphone"
    assert 2 < answer.ended_s - spoken_s < 4.5
    assert not unit.called


def test_a_line_that_does_not_sound_is_missed_after_a_while() -> None:
    street, unit = Street(5, HUSHED_DBFS), Unit()
    unit.hear_until_begun(street)
    unit.hear(street.blocks(LISTEN_S + 1))
    _, answer = unit.answers
    assert isinstance(answer, SelfTestEnded)
    assert answer.level_dbfs is None


def test_what_the_gate_before_the_calls_keeps_back_is_not_heard() -> None:
    street, ear = Street(1, HUSHED_DBFS), OwnEar(own_pipelines())
    ear.ask(1)
    answers = [answer for block in street.blocks(QUIET_S + 1) if (answer := ear.hear(block, asleep=True))]
    street.speak(Line.SOUND_CHECK)
    answers += [answer for block in street.blocks(LISTEN_S) if (answer := ear.hear(block, asleep=True))]
    assert [each.level_dbfs for each in answers if isinstance(each, SelfTestEnded)] == [None]


def test_other_words_are_not_the_line() -> None:
    street, unit = Street(6, HUSHED_DBFS), Unit()
    unit.hear_until_begun(street)
    street.speak(Line.HEARD)
    unit.hear(street.blocks(4))
    street.say("talk-train-rms", 20)
    unit.hear(street.blocks(LISTEN_S - 3))
    assert [each.level_dbfs for each in unit.answers if isinstance(each, SelfTestEnded)] == [None]


def test_a_call_during_a_test_is_heard_as_ever() -> None:
    street, unit = Street(2, HUSHED_DBFS), Unit()
    unit.hear_until_begun(street)
    street.speak(Line.SOUND_CHECK)
    unit.hear(street.blocks(2.5))
    street.say("help-me-slt", 20)
    unit.hear(street.blocks(4))
    assert [said.phrase.label for said in unit.called] == ["help-me"]


def silence(ended_s: float) -> PcmBlock:
    return PcmBlock(bytes(2 * BLOCK_SAMPLES), ended_s)


def test_a_test_waits_for_quiet_but_not_for_ever() -> None:
    ear = OwnEar(own_pipelines())
    ear.ask(7)
    begun = [
        seconds / 10
        for seconds in range(1000)
        if isinstance(ear.hear(silence(seconds / 10), asleep=False), SelfTestBegun)
    ]
    assert begun == [QUIET_WITHIN_S]


def test_nothing_is_listened_for_without_a_test() -> None:
    street, unit = Street(1, HUSHED_DBFS), Unit()
    street.speak(Line.SOUND_CHECK)
    unit.hear(street.blocks(4))
    assert not unit.answers
    assert not unit.called


def test_the_bundled_model_knows_the_line() -> None:
    assert ear_for(BUNDLED_MODEL) is not None


def test_a_unit_with_a_model_of_its_own_tests_itself_though_the_bundled_one_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.voice.own_ear.BUNDLED_MODEL", tmp_path / "gone")
    assert ear_for(BUNDLED_MODEL) is not None


def test_a_broken_bundled_model_takes_the_self_test_from_a_unit_of_another_language_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.voice.own_ear.BUNDLED_MODEL", tmp_path / "gone")
    polish = polish_model(tmp_path / "polish")
    words = polish / "graph/words.txt"
    words.write_text(words.read_text(encoding="utf-8").replace("\nsound ", "\ndźwięk "), encoding="utf-8")
    manifest.write(polish)
    assert ear_for(polish) is None
    with pytest.raises(ModelUnusable):
        ear_for(tmp_path / "gone too")
