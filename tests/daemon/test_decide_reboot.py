"""The service that grants a restart trusts neither the agent nor the wall clock.

The script is run for real; what systemd does on its success (`SuccessAction=reboot`) is all that is left out.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "systemd" / "decide-reboot"
PER_DAY = 2
DAY_S = 86_400


class Machine:
    """A request, the count, and what the kernel tells of this boot."""

    def __init__(self, folder: Path) -> None:
        self.request = folder / "reboot-request"
        self.granted = folder / "granted"
        self.proc = folder / "proc"
        (self.proc / "sys/kernel/random").mkdir(parents=True)
        self.boot("boot-1", 700)
        self.ask("boot-1")

    def boot(self, boot_id: str, uptime_s: int) -> None:
        (self.proc / "sys/kernel/random/boot_id").write_text(f"{boot_id}\n")
        (self.proc / "uptime").write_text(f"{uptime_s}.42 1234.56\n")

    def ask(self, boot_id: str, reason: str = "no footage was stored for 612 s") -> None:
        self.request.write_text(f"boot={boot_id}\nreason={reason}\ntime=2026-11-24T17:00:00+00:00\n")

    def decide(self) -> tuple[bool, str]:
        """Whether it is granted, and what the journal says."""
        argv = [str(SCRIPT), str(self.request), str(self.granted), str(PER_DAY), str(self.proc)]
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert result.returncode in {0, 1}, result.stderr
        assert bool(result.stderr) is (result.returncode == 1), "a refusal says why, and nothing else is said"
        return result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_request_of_this_boot_is_granted_and_counted(machine: Machine) -> None:
    granted, said = machine.decide()
    assert granted
    assert "no footage was stored for 612 s" in said
    assert machine.granted.read_text() == "boot-1 700\n"


def test_without_a_request_nothing_is_granted(machine: Machine) -> None:
    machine.request.unlink()
    assert not machine.decide()[0]
    assert not machine.granted.exists()


def test_a_request_that_an_earlier_boot_left_is_refused(machine: Machine) -> None:
    machine.ask("boot-0")
    assert machine.decide() == (False, "reboot refused: it is not of this boot but of 'boot-0'\n")


def test_one_boot_is_restarted_once(machine: Machine) -> None:
    assert machine.decide()[0]
    machine.boot("boot-1", 40_000)
    assert machine.decide() == (False, "reboot refused: one of this boot was granted already\n")


def test_the_third_within_a_day_of_running_is_refused_whatever_the_date(machine: Machine) -> None:
    assert machine.decide()[0]
    for boot, uptime_s, expected in (
        ("boot-2", 50_000, True),
        ("boot-3", DAY_S - 50_000 - 1, False),
        ("boot-3", DAY_S - 50_000, True),
        ("boot-4", 700, False),
        ("boot-5", 50_000 + 1, True),
    ):
        machine.boot(boot, uptime_s)
        machine.ask(boot)
        assert machine.decide()[0] is expected, (boot, uptime_s)


@pytest.mark.parametrize("content", ["garbage\n", "boot-0 700 1\n", "boot-0 -700\n", "boot-0 7e9\n"])
def test_a_damaged_count_grants_nothing(machine: Machine, content: str) -> None:
    machine.granted.write_text(content)
    assert machine.decide() == (False, "reboot refused: the count is damaged\n")


def test_what_cannot_be_counted_is_not_granted(machine: Machine) -> None:
    Path(f"{machine.granted}.new").mkdir()
    granted, said = machine.decide()
    assert not granted
    assert "it cannot be counted" in said


def test_a_link_in_the_place_of_the_request_is_not_followed(machine: Machine, tmp_path: Path) -> None:
    machine.request.rename(tmp_path / "elsewhere")
    machine.request.symlink_to(tmp_path / "elsewhere")
    assert not machine.decide()[0]


def test_what_a_request_says_is_shown_without_anything_odd_and_never_run(machine: Machine, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    machine.ask("boot-1", reason=f"$(touch {trap})`touch {trap}`;\x1b[31m\\\"'" + "x" * 100_000)
    granted, said = machine.decide()
    assert granted
    assert not trap.exists()
    assert len(said) < 3000
    assert not set("\x1b$`\\\"'[") & set(said)
