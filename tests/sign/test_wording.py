"""What a sign says follows from the configuration, and never tells what must stay a secret."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from agent.config.load import load_config, profile_names
from agent.sign.page import page
from agent.sign.wording import SignImpossible, wording

if TYPE_CHECKING:
    from pathlib import Path

    from agent.sign.wording import Sign

LISTENS = "voice: {enabled: true, phrases: [{say: help me, label: help-me}]}\n"
WHO = "signage: {operator: Ashfield District Council, contact: 01623 450000}\n"


def sign(folder: Path, more: str = "", profile: str = "safe-point", who: str = WHO) -> Sign:
    file = folder / "unit.yaml"
    file.write_text(
        f"profile: {profile}\n"
        "unit: {id: hk-001, org: ashfield, name: Central Walk, location: North end}\n"
        f'uplink: {{broker: "mqtt://localhost", insecure_lab: true}}\n{who}{more}',
        encoding="utf-8",
    )
    return wording(load_config(file, judge_files=False).config)


def said(made: Sign) -> list[str]:
    return [call.say for call in made.calls]


def test_only_what_counts_at_once_is_on_the_sign(tmp_path: Path) -> None:
    assert said(sign(tmp_path)) == ["Help me", "I need help", "Call the police"]  # "please help" must be said twice
    phrases = """\
voice:
  phrases:
    - {say: help me, label: a}
    - {say: please help, label: b, repeat_within_s: 10}
    - {say: call the police, label: c, movement_within_s: 5}
"""
    assert said(sign(tmp_path, phrases)) == ["Help me"]


@pytest.mark.parametrize(("where", "shared"), list(product(("main", "further"), (True, False))))
def test_a_duress_phrase_is_on_no_sign_nor_its_call_in_another_language(
    tmp_path: Path,
    where: str,
    shared: bool,  # noqa: FBT001
) -> None:
    silent = "{say: is the manager around, label: duress, silent: true}"
    other = f"{{say: gdzie jest kierownik, label: {'duress' if shared else 'help-me'}}}"
    main, further = (silent, other) if where == "main" else (other, silent)
    made = sign(
        tmp_path,
        f"voice:\n  phrases: [{{say: help me, label: help-me}}, {main}]\n"
        f"  languages: [{{name: pl, model: pl, phrases: [{further}]}}]\n",
    )
    printed = page(made).casefold()
    assert "manager" not in printed
    assert ("kierownik" in printed) is not shared
    assert "help me" in printed


def test_a_button_that_can_be_held_for_a_silent_call_is_no_more_than_a_button(tmp_path: Path) -> None:
    plain = "inputs: [{name: panic-1, kind: button, pin: 17}]\n"
    silent = "inputs: [{name: panic-1, kind: button, pin: 17, silent_after_s: 5}]\n"
    assert sign(tmp_path, plain) == sign(tmp_path, silent)


def test_what_is_said_of_sound_is_what_the_configuration_does(tmp_path: Path) -> None:
    listening = sign(tmp_path)
    assert listening.sound == "Sound is never recorded"
    assert "conversations are not recorded, and nobody listens in" in listening.sound_more
    assert "how loud" not in listening.sound_more
    assert "how loud" in sign(tmp_path, "voice: {meter: {enabled: true}}\n").sound_more
    measuring = sign(tmp_path, "voice: {enabled: false, meter: {enabled: true}}\n")
    assert measuring.sound_more == "The microphone measures how loud it is here; only numbers are kept."
    assert measuring.calls == ()
    deaf = sign(tmp_path, "voice: {enabled: false}\n")
    assert (deaf.sound, deaf.sound_more) == ("No microphone in use", "Sound is neither picked up nor recorded.")


def test_what_is_said_of_pictures_is_what_the_configuration_does(tmp_path: Path) -> None:
    filming = sign(tmp_path, "footage: {keep_days: 14}\n")
    assert filming.cctv == "CCTV is in use for public safety and to prevent crime."
    assert (filming.keeping or "").startswith("Pictures are kept for 14 days at most")
    blind = sign(tmp_path, "camera: {enabled: false}\n")
    assert (blind.cctv, blind.keeping) == (None, None)


def test_what_answers_a_call_is_what_the_unit_has(tmp_path: Path) -> None:
    assert sign(tmp_path).answer == "The light comes on and the control room is told. No answer? Call again."
    assert sign(tmp_path, "lamp: null\n").answer == "The control room is told. No answer? Call again."
    assert sign(tmp_path, "lamp: null\nspeaker: {enabled: false}\n").answer == "The control room is told."


@pytest.mark.parametrize(
    ("who", "missing"),
    [
        ("", "signage.operator and signage.contact must be"),
        ("signage: {operator: A Council}\n", "signage.contact must be"),
        ("signage: {contact: '01623'}\n", "signage.operator must be"),
    ],
)
def test_nobody_to_ask_is_no_sign(tmp_path: Path, who: str, missing: str) -> None:
    with pytest.raises(SignImpossible, match=missing):
        sign(tmp_path, who=who)


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_has_a_sign_that_names_the_unit_and_who_runs_it(tmp_path: Path, profile: str) -> None:
    made = sign(tmp_path, profile=profile)
    printed = page(made)
    for needed in ("Ashfield District Council", "01623 450000", "Unit hk-001", "Central Walk, North end"):
        assert needed in printed
    assert ("Call for help here" in printed) is made.is_for_help
    assert ("Press the button" in printed) is made.has_button


@pytest.mark.parametrize("profile", profile_names())
def test_every_profiles_page_says_why_what_becomes_of_sound_and_pictures_and_whom_to_ask(
    tmp_path: Path, profile: str
) -> None:
    # Whatever the profile leaves off is on here: nothing that is said of it may be missing from the paper.
    on = (
        "camera: {enabled: true}\n"
        "voice: {enabled: true, phrases: [{say: help me, label: help-me}], meter: {enabled: true}}\n"
        "footage: {keep_days: 14}\n"
    )
    made = sign(tmp_path, on, profile=profile)
    printed = page(made)
    for needed in (
        "<p>CCTV is in use for public safety and to prevent crime.</p>",
        "<p>Sound is never recorded.</p>",
        (
            "<p>A microphone listens for calls for help. What it hears is examined inside this unit and forgotten at"
            " once: conversations are not recorded, and nobody listens in. It also measures how loud it is here; only"
            " numbers are kept.</p>"
        ),
        "<p>Pictures are kept for 14 days at most, longer only as evidence, and may be given to the police.</p>",
        "<p>Questions: <b>01623 450000</b></p>",
    ):
        assert needed in printed


@pytest.mark.parametrize("profile", profile_names())
def test_every_profiles_page_holds_all_that_its_own_wording_says(tmp_path: Path, profile: str) -> None:
    made = sign(tmp_path, profile=profile)
    printed = page(made)
    for said_of_it in (made.cctv, f"{made.sound}.", made.sound_more, made.keeping):
        assert said_of_it is None or f"<p>{said_of_it}</p>" in printed
    assert "Questions: <b>01623 450000</b>" in printed


@pytest.mark.parametrize("profile", profile_names())
def test_a_microphone_without_a_camera_says_why_it_is_there(tmp_path: Path, profile: str) -> None:
    made = sign(tmp_path, f"camera: {{enabled: false}}\n{LISTENS}", profile=profile)
    printed = page(made)
    assert "CCTV is" not in printed
    assert "<p>A microphone is in use for public safety and to prevent crime. Sound is never recorded.</p>" in printed
