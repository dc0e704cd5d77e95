"""Fill a slot with a version: an environment of its own, from nothing but the wheels of its bundle."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from agent.software.fill import list_filled
from agent.software.listing import ListUnusable
from agent.software.release import NotSigned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TAKES_AT_MOST_S = 900.0
"""A Raspberry Pi with a slow card takes two or three minutes."""


class InstallFailed(Exception):
    """The version cannot be installed, or does not even start; as the end of a sentence."""


def install(wheels: Sequence[Path], slot: Path) -> None:
    """Make an environment in this folder that holds these wheels and sees the system's own packages.

    Args:
        wheels: All that the version needs, the agent's own among them.
        slot: Where; it does not exist yet.

    Raises:
        InstallFailed: there is no environment that works.
    """
    base = getattr(sys, "_base_executable", sys.executable)  # never the environment that we run in
    _run([base, "-m", "venv", "--system-site-packages", str(slot)])
    pip = [str(slot / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    # --ignore-installed: the slot is whole by itself even where the system has the same package.
    _run([*pip, "--no-index", "--no-deps", "--ignore-installed", *map(str, wheels)])


def prove(slot: Path, version: str, config: Path) -> None:
    """Try what can be tried beside the daemon in use: all of the new one loads, and it takes the configuration.

    Args:
        slot: Filled by `install`.
        version: What it must say of itself.
        config: The unit's file.

    Raises:
        InstallFailed: it would not start.
    """
    program = str(slot / "bin/safepoint")
    said = _run([program, "--version"])
    if said.split()[1:2] != [version]:
        msg = f"it says of itself that it is {said.strip()!r}"
        raise InstallFailed(msg)
    _run([str(slot / "bin/python"), "-c", "import agent.daemon, agent.footage.recorder, agent.voice.listener"])
    _run([program, "check", "--start-only", str(config)])


def record(slot: Path, head: bytes, wheels: Sequence[Path]) -> None:
    """Write down what lies in a slot, for whoever looks at it later (`agent.software`).

    Args:
        slot: Filled and tried.
        head: The signed lines of its bundle.
        wheels: What it was filled from.

    Raises:
        InstallFailed: it is not what was signed.
        OSError: the disk does not take it.
    """
    try:
        list_filled(slot, head, wheels)
    except (NotSigned, ListUnusable) as why:
        raise InstallFailed(str(why)) from why


def _run(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            argv, env=_environment(), capture_output=True, text=True, check=False, timeout=TAKES_AT_MOST_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"{argv[0]} did not end well: {error}"
        raise InstallFailed(msg) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["without a word"]
        msg = f"{' '.join(argv[:3])} ended with {done.returncode}: {lines[-1]}"
        raise InstallFailed(msg)
    return done.stdout


def _environment() -> Mapping[str, str]:
    """Ours, without what would lead Python or pip to other code or other settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}
