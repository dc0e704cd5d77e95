"""Asks other programs of the system, with a limit of time and of words."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHIN_S = 8.0
"""systemctl answers in milliseconds; one that takes this long waits for a systemd that hangs."""
MOST_BYTES = 1024 * 1024


def answer(*command: str, within_s: float = WITHIN_S, most_bytes: int = MOST_BYTES) -> str:
    """What a command says on standard output, cut after so many bytes.

    Raises:
        OSError: it is not there, fails, or does not answer in time.
    """
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
    too_late = threading.Event()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as asked:

        def give_up() -> None:
            too_late.set()
            asked.kill()

        limit = threading.Timer(within_s, give_up)
        limit.daemon = True
        limit.start()
        try:
            told, cut = _read(asked.stdout, most_bytes)
            if cut:
                asked.kill()
            complaint, _ = _read(asked.stderr, most_bytes)
            asked.wait()
        finally:
            limit.cancel()
    if too_late.is_set():
        msg = f"{command[0]} did not answer within {within_s:g} s"
        raise TimeoutError(msg)
    if asked.returncode and not cut:
        msg = complaint.strip().splitlines()[-1] if complaint.strip() else f"it ended with code {asked.returncode}"
        raise OSError(f"{command[0]}: {msg}")  # noqa: EM102, TRY003 - a caller shows it as it is
    return told


def properties(*command: str) -> list[dict[str, str]]:
    """What `systemctl show` and its like say: one dictionary for each thing asked about.

    Raises:
        OSError: as `answer`.
    """
    return [_pairs(block.splitlines()) for block in answer(*command).strip().split("\n\n")]


def _pairs(lines: Sequence[str]) -> dict[str, str]:
    return {key: value for key, found, value in (line.partition("=") for line in lines) if found}


def _read(stream: IO[bytes] | None, most_bytes: int) -> tuple[str, bool]:
    """The text, and whether there was more of it."""
    if stream is None:
        return "", False
    told = stream.read(most_bytes + 1)
    return told[:most_bytes].decode("utf-8", errors="replace"), len(told) > most_bytes
