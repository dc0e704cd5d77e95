"""The parts of provision.sh, one function at a time: what they say of texts that a machine could give."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.provisioning import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

PROVISIONING = Path(__file__).parents[2] / "provisioning"

PARTS = """\
set -euo pipefail
shopt -s nullglob inherit_errexit lastpipe
HERE=$1 SOURCE=$(dirname "$1") folder=$2 DRY_RUN='' ANSWERS='' OFFLINE='' BUNDLE_SHA256='' TEST_ROOT='' LOG=/dev/null
STATE=$2/state CONFIG=$2/unit.yaml PREFIX=$2/opt
shift 2
for part in "$HERE"/lib/*.sh "$HERE"/steps/*.sh; do source "$part"; done
WORK=$folder
"""


def call(folder: Path, script: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run these lines after the parts were loaded.

    Args:
        folder: for files; nothing outside of it is written.
        script: lines of bash.
        stdin: what they can read.
    """
    return subprocess.run(
        ["bash", "-c", PARTS + script, "parts", PROVISIONING, folder],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def converse(folder: Path, script: str, typed: Sequence[str]) -> tuple[int, str]:
    """Run these lines on a terminal, with somebody who types; how they ended, and what the terminal showed.

    Args:
        folder: for files; nothing outside of it is written.
        script: lines of bash.
        typed: a line for each prompt.
    """
    command = [*terminal.AT_TERMINAL, "bash", "-c", PARTS + script, "parts", str(PROVISIONING), str(folder)]
    return terminal.converse(lambda end: subprocess.Popen(command, stdin=end, stdout=end, stderr=end), typed)
