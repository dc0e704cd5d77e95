"""Bad input to `safepoint commission` gets one sentence, and a dropped session loses nothing."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from agent.cli.commission.answers import read_answers
from agent.cli.main import main
from agent.commission.session import FILE_NAME, FOLDER_NAME
from agent.commission.standing import FILE_NAME as COMMISSIONED
from fakes.commissioned import commission
from fakes.town import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town

PAPERS = """\
site.right: yes
site.engineer: R. Walker
site.mount: column 14
site.power: lighting
site.grid: SK 533 493
dpia.reference: DPIA-2026-4
dpia.expires: 2099-12-31
"""


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


def test_an_agent_that_does_not_run_is_told(town_with: Callable[..., Town], capsys: pytest.CaptureFixture[str]) -> None:
    town = town_with()
    assert main(["commission", "--config", str(town.config_file)]) == 2
    assert "start it with `systemctl start safepoint-agent`" in sentence(capsys)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ("- a list", "one plain answer for each key"),
        ("", "needs lines such as"),
        ("a: [1", "not valid YAML"),
        ("dpai.reference: X", "nobody asks for dpai.reference on this unit; did you mean dpia"),
        ("dpia.reference: [1]", "yaml:1: dpia.reference: needs one plain text"),
        ("site.engineer: R. Walker\ndpia.reference:", "yaml:2: dpia.reference: needs one plain text"),
        ("dpia.reference: A-1\ndpia.reference: A-2", "dpia.reference: is given twice, first in line 1"),
        ("dpia.reference: DPIA #4", "dpia.reference: a # after a space begins a comment"),
    ],
)
def test_an_answers_file_that_answers_nothing_is_refused(
    town_with: Callable[..., Town], folder: Path, capsys: pytest.CaptureFixture[str], answers: str, why: str
) -> None:
    town = town_with()
    (folder / "answers.yaml").write_text(answers)
    options = ["--config", str(town.config_file), "--answers", str(folder / "answers.yaml")]
    assert main(["commission", *options]) == 2
    assert why in sentence(capsys)


def test_what_an_answers_file_says_is_signed_as_it_was_typed(town_with: Callable[..., Town], folder: Path) -> None:
    config, file = town_with().config, folder / "answers.yaml"
    numbers = ("0123456", "12_34_56", "0x1F40", "2026.10", "1e3", "51:30:20")
    for typed in (*numbers, "off", "null", "2027-13-45", "2027-03-31T10:00:00+02:00"):
        file.write_text(f"dpia.reference: {typed}\n")
        assert read_answers(file, config) == {"dpia.reference": typed}


def test_a_bench_without_a_key_cannot_be_commissioned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "unit.yaml"
    unit = "unit: {id: hk-1, org: lab, name: Lab, location: here}"
    off = "camera: {enabled: false}\nvoice: {enabled: false}"
    file.write_text(
        f"profile: safe-space\n{unit}\nuplink: {{broker: 'mqtt://localhost', insecure_lab: true}}\n{off}\n"
        f"state_folder: {folder}\n"
    )
    assert main(["commission", "--config", str(file)]) == 2
    assert "no key to sign" in sentence(capsys)


def test_status_and_withdraw_say_how_it_stands(
    town_with: Callable[..., Town], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = town_with()
    file = ["--config", str(town.config_file)]
    assert main(["commission", "status", *file]) == 1
    assert "not commissioned here" in capsys.readouterr().out
    commission(town.config)
    assert main(["commission", "status", *file]) == 0
    assert main(["commission", "withdraw", *file]) == 0
    assert not (folder / "state" / COMMISSIONED).exists()


async def test_a_dropped_session_goes_on_where_it_was(town_with: Callable[..., Town], folder: Path) -> None:
    """A real terminal that hangs up in the middle, as SSH does."""
    async with town_with() as town:
        await town.start_unit()
        (folder / "answers.yaml").write_text(PAPERS)
        options = ["--config", str(town.config_file), "--answers", str(folder / "answers.yaml"), "--out", str(folder)]
        screen = Screen([sys.executable, "-m", "agent.cli.main", "commission", *options])
        screen.until("order?")  # of the next step, for which there is no answer
        screen.hang_up()
        assert (folder / "state" / FOLDER_NAME / FILE_NAME).exists()
        screen = Screen([sys.executable, "-m", "agent.cli.main", "commission", *options])
        shown = screen.until("order?")
        assert "Going on: 2 were done before." in shown
        assert "Data protection" not in shown
        assert max(map(len, shown.splitlines())) <= 80
        screen.type("quit")
        screen.until("goes on from here")
        assert screen.ended() == 0


class Screen:
    """A terminal with a program in it."""

    def __init__(self, program: list[str]) -> None:
        self._master, slave = pty.openpty()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and children inherit that
        self._process = subprocess.Popen(program, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self._shown = ""

    def until(self, words: str) -> str:
        """Everything that is shown until these words are."""
        end_s = time.monotonic() + LIMIT_S
        while words not in self._shown:
            assert time.monotonic() < end_s, self._shown
            try:
                self._shown += os.read(self._master, 4096).decode().replace("\r\n", "\n")
            except OSError:
                assert words in self._shown, self._shown
        return self._shown

    def type(self, words: str) -> None:
        os.write(self._master, f"{words}\n".encode())

    def hang_up(self) -> None:
        """The connection is gone: the program is told by a signal, and its terminal is closed."""
        os.close(self._master)
        self._process.send_signal(signal.SIGHUP)
        assert self._process.wait(LIMIT_S) == -signal.SIGHUP

    def ended(self) -> int:
        code = self._process.wait(LIMIT_S)
        os.close(self._master)
        return code
