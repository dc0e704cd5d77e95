"""Every kind of mistake a unit file can hold, and what its author is told: a table in two text files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.load import PROFILES
from tests.config.desk import LAB

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

    from tests.config.desk import Desk


def mistakes(file: str) -> list[ParameterSet]:
    """The text and the messages of each entry."""
    entries = (Path(__file__).parent / file).read_text(encoding="utf-8").split("\n## ")
    table = []
    for entry in entries[1:]:
        name, *lines = entry.rstrip().split("\n")
        told = [line.removeprefix("=> ") for line in lines if line.startswith("=> ")]
        text = "".join(f"{line}\n" for line in lines if not line.startswith("=> "))
        table.append(pytest.param(text, told, id=name))
    return table


@pytest.mark.parametrize(("added", "told"), mistakes("mistakes_in_keys.txt"))
def test_a_mistake_in_a_key_is_told_in_one_sentence(desk: Desk, added: str, told: list[str]) -> None:
    assert desk.problems(LAB + added) == [line.replace("<folder>", str(desk.folder)) for line in told]


@pytest.mark.parametrize(("text", "told"), mistakes("mistakes_in_files.txt"))
def test_a_mistaken_file_is_told_with_every_problem_at_once(desk: Desk, text: str, told: list[str]) -> None:
    assert desk.problems(text) == [line.replace("<folder>", str(desk.folder)) for line in told]


def line_in_profile(profile: str, text: str) -> str:
    """The place at which a profile says this first."""
    file = PROFILES / f"{profile}.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    return f"{file}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_a_value_of_the_profile_is_told_with_the_profiles_file(desk: Desk) -> None:
    lamp, voice = line_in_profile("safe-point", "pin: 24"), line_in_profile("safe-point", "voice:")
    assert desk.problems(LAB + "inputs:\n  - {name: mic-1, kind: pir, pin: 24}") == [
        f"{lamp}: lamp.pin: pin 24 is already taken by inputs[0].pin (unit.yaml:5)",
        f"{voice}: voice.name: name mic-1 is already taken by inputs[0].name (unit.yaml:5)",
    ]
    panic = line_in_profile("safe-point", "pin: 17")
    assert desk.problems(LAB + "lamp: {pin: 17}") == [
        f"unit.yaml:4: lamp.pin: pin 17 is already taken by inputs[0].pin ({panic})"
    ]
