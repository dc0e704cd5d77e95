from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[2] / "systemd" / "safepoint-agent.service"


def test_systemd_accepts_the_service_without_a_word(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: ./dev test installs it")
    here = tmp_path / SERVICE.name
    # verify looks for the program, which lies elsewhere on a developer's machine than on a unit
    here.write_text(
        SERVICE.read_text().replace("/opt/safepoint/bin/safepoint", f"{Path(sys.executable).parent}/safepoint")
    )
    result = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False)
    # a misspelt key only warns and exits 0: any word is a failure (research: camera-lab section 5)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
