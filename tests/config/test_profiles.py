"""What each kind of unit is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.config.load import PROFILES, profile_names
from agent.config.settings import InputKind
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
