from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.helpers.last_rung import A_DAY
from agent.reboot import REQUEST

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = ("safepoint-agent.service", "safepoint-reboot.path", "safepoint-reboot.service")
PROGRAMS = {
    "/opt/safepoint/bin/safepoint": f"{Path(sys.executable).parent}/safepoint",
    "/opt/safepoint/systemd/": f"{SYSTEMD}/",
}
"""What the units start, which lies elsewhere on a developer's machine than on a unit; verify looks for it."""
MOST_EXPOSED = 1.5
"""Of 10, by systemd's own measure: the service that grants a restart needs nothing but to read and count."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: ./dev test installs it")
    for name in UNITS:
        text = (SYSTEMD / name).read_text()
        for there, here in PROGRAMS.items():
            text = text.replace(there, here)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_the_unit_without_a_word(units: Path, name: str) -> None:
    result = subprocess.run(
        ["systemd-analyze", "verify", str(units / name)], capture_output=True, text=True, check=False
    )
    # a misspelt key only warns and exits 0: any word is a failure (research: camera-lab section 5)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_who_grants_a_restart_may_do_next_to_nothing_else(units: Path) -> None:
    argv = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}"]
    result = subprocess.run(
        [*argv, str(units / "safepoint-reboot.service")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_agent_and_units_mean_the_same_files() -> None:
    service = (SYSTEMD / "safepoint-reboot.service").read_text()
    request = f"/run/safepoint/{REQUEST}"
    assert f"PathChanged={request}\n" in (SYSTEMD / "safepoint-reboot.path").read_text()
    assert f"ConditionPathExists={request}\n" in service
    assert (
        f"ExecStart=/opt/safepoint/systemd/decide-reboot {request} /var/lib/safepoint-reboot/granted {A_DAY}\n"
        in service
    )
    assert "RuntimeDirectory=safepoint\n" in (SYSTEMD / "safepoint-agent.service").read_text()


def test_the_service_leaves_no_core_dump_which_would_hold_the_last_seconds_of_sound() -> None:
    assert "LimitCORE=0\n" in (SYSTEMD / "safepoint-agent.service").read_text()
