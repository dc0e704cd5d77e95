"""The frame of the command line: one sentence and an exit code, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import agent
from agent.cli import check
from agent.cli.errors import UsageError
from agent.cli.main import main
from tests.config.desk import LAB

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from tests.config.desk import Desk

SAFEPOINT = Path(sys.executable).parent / "safepoint"
"""The installed command."""


def make_check(monkeypatch: pytest.MonkeyPatch, run: Callable[[argparse.Namespace], int]) -> None:
    """Let `safepoint check` do this instead."""
    monkeypatch.setattr(check, "run", run)


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"safepoint {agent.__version__} ")
    assert told.count("\n") == 1


def test_every_command_of_the_folder_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "    check " in told
    assert "    config " in told


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "safepoint: the following arguments are required: COMMAND (see safepoint --help)\n"),
        (["check"], "safepoint: the following arguments are required: FILE (see safepoint check --help)\n"),
        (["check", "a", "b"], "safepoint: unrecognized arguments: b (see safepoint --help)\n"),
        (["--vers"], "safepoint: the following arguments are required: COMMAND (see safepoint --help)\n"),
    ],
)
def test_wrong_arguments_are_one_sentence(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert capsys.readouterr() == ("", told)


def test_an_unknown_command_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chek", "unit.yaml"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("safepoint: argument COMMAND: invalid choice: 'chek'")
    assert "config" in told
    assert told.count("\n") == 1


def test_a_command_that_cannot_be_done_as_given_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: argparse.Namespace) -> int:
        sentence = "there is no broker at mqtt://localhost:1; start one"
        raise UsageError(sentence)

    make_check(monkeypatch, run)
    assert main(["check", "unit.yaml"]) == 2
    assert capsys.readouterr() == ("", "safepoint: there is no broker at mqtt://localhost:1; start one\n")


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    make_check(monkeypatch, run)
    assert main(["check", "unit.yaml"]) == 130
    assert capsys.readouterr() == ("", "")


def test_the_commands_own_exit_code_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    make_check(monkeypatch, lambda _: 7)
    assert main(["check", "unit.yaml"]) == 7


def test_the_installed_command_speaks_the_contract(desk: Desk) -> None:
    desk.write(LAB)
    good = subprocess.run([SAFEPOINT, "check", "unit.yaml"], capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (0, "")
    desk.write(LAB + "lamp: {pin: no}")
    bad = subprocess.run([SAFEPOINT, "check", "unit.yaml"], capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "unit.yaml:4: lamp.pin: needs a whole number from 0 to 27, got no (text)\n"


def test_a_reader_that_went_away_gets_no_traceback(desk: Desk) -> None:
    desk.write(LAB)
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run([SAFEPOINT, "config", "unit.yaml"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (told.returncode, told.stderr) == (141, b"")
