"""What each kind of unit is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.config.load import PROFILES, profile_names
from agent.config.settings import InputKind
from agent.signals import CommandName
from agent.voice.language import phrases_of
from tests.config.desk import LAB

if TYPE_CHECKING:
    from tests.config.desk import Desk


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_is_complete_with_a_unit_and_an_uplink(desk: Desk, profile: str) -> None:
    loaded = desk.load(LAB.replace("safe-point", profile))
    assert loaded.config.profile == profile
    assert f"profile {profile}" in loaded.origins.values()


def test_the_five_kinds_of_unit_are_there() -> None:
    assert profile_names() == ["public-space", "rapid-deployable", "roadside", "safe-point", "safe-space"]


def test_a_moved_unit_is_in_test_until_its_file_says_otherwise(desk: Desk) -> None:
    lab = LAB.replace("safe-point", "rapid-deployable")
    assert desk.load(lab).config.unit.test
    assert not desk.load(lab.replace("{id:", "{test: false, id:")).config.unit.test


def test_a_shop_has_a_silent_call_and_is_set_at_night(desk: Desk) -> None:
    config = desk.load(LAB.replace("safe-point", "safe-space")).config
    assert any(wired.kind is InputKind.BUTTON and wired.silent_after_s for wired in config.inputs)
    assert any(phrase.silent for phrase in config.voice.phrases)
    assert config.arming.mode == "schedule"


def test_two_guesses_in_a_row_are_no_duress(desk: Desk) -> None:
    voice = desk.load(LAB.replace("safe-point", "safe-space")).config.voice
    duress = [phrase for phrase in phrases_of(voice) if phrase.silent]
    assert duress
    assert all(phrase.least_confidence == phrase.min_confidence for phrase in duress)


def test_duress_needs_no_less_sureness_than_a_call(desk: Desk) -> None:
    phrases = phrases_of(desk.load(LAB.replace("safe-point", "safe-space")).config.voice)
    calls = [phrase.min_confidence for phrase in phrases if not phrase.silent]
    assert all(phrase.min_confidence >= max(calls) for phrase in phrases if phrase.silent)


@pytest.mark.parametrize("profile", ["public-space", "rapid-deployable", "roadside"])
def test_where_nobody_is_told_to_speak_nothing_listens(desk: Desk, profile: str) -> None:
    assert not desk.load(LAB.replace("safe-point", profile)).config.voice.enabled


def test_a_roadside_unit_measures_without_listening(desk: Desk) -> None:
    voice = desk.load(LAB.replace("safe-point", "roadside")).config.voice
    assert (voice.enabled, voice.meter.enabled, voice.needs_microphone) == (False, True, True)
    assert voice.meter.calibration_offset_db is None, "nobody has calibrated it yet"
    assert not desk.load(LAB).config.voice.meter.enabled


@pytest.mark.parametrize("profile", profile_names())
def test_a_profile_names_no_file_and_no_unit(profile: str) -> None:
    text = (PROFILES / f"{profile}.yaml").read_text(encoding="utf-8")
    assert "_file:" not in text
    assert "broker:" not in text
    assert "  id:" not in text


@pytest.mark.parametrize("profile", profile_names())
def test_everybody_may_look_and_keep_and_only_who_is_named_lets_go(desk: Desk, profile: str) -> None:
    lab = LAB.replace("safe-point", profile)
    usual = desk.load(lab).config.commands
    for name in (CommandName.STILL, CommandName.CLIP, CommandName.FOOTAGE_HOLD, CommandName.TEST_ALERT):
        assert usual.may(name, "op-1", "desk")
    assert not usual.may(CommandName.FOOTAGE_RELEASE, "op-1", "desk")
    named = desk.load(lab + "commands: {members: {supervisor: [{operator: sup-7}]}}\n").config.commands
    assert all(named.may(name, "sup-7", "desk") for name in CommandName)
    assert not named.may(CommandName.FOOTAGE_RELEASE, "sup-71", "desk")
    assert named.may(CommandName.STILL, "op-1", "desk"), "the profile's operators stay operators"


def test_a_shop_is_unset_by_itself_or_by_somebody_named(desk: Desk) -> None:
    assert not desk.load(LAB.replace("safe-point", "safe-space")).config.commands.may(CommandName.UNSET, "op-1", "desk")
