"""Examines a unit: has another process look at it, and waits for that no longer than it is worth."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from agent.doctor.facts import HANGS, Facts
from agent.doctor.look import part_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S: Final = 45.0
"""On a Pi 3 the slowest part, a voice model that is tried, takes ten seconds."""
GONE_WITHIN_S: Final = 1.0
"""A killed process is gone in milliseconds, or a driver holds it in the kernel and nothing reaches it."""
CHUNK_BYTES: Final = 65_536


def examine(file: Path, limit_s: float = LIMIT_S) -> Facts:
    """Look at the unit that this file configures.

    Args:
        file: The configuration, which may be what is wrong.
        limit_s: Parts that have not answered by then count as hanging.

    Raises:
        OSError: no process can be started.
    """
    parts: dict[str, Any] = {}
    unanswered = dict.fromkeys(part_names(), HANGS)
    for told in _lines(file, limit_s):
        part = told["part"]
        if part is None:
            unanswered = {name: told["why"] if why == HANGS else why for name, why in unanswered.items()}
        elif "value" in told:
            parts[part] = told["value"]
            del unanswered[part]
        else:
            unanswered[part] = told["why"]
    return TypeAdapter(Facts).validate_json(json.dumps({**parts, "unanswered": unanswered}))


def _lines(file: Path, limit_s: float) -> Iterator[dict[str, Any]]:
    """Yield what the looking process tells until it is done, or out of time, or dead (then a line without a part)."""
    looking = subprocess.Popen(
        (sys.executable, "-m", "agent.doctor.look", str(file)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that the programs it asks end with it
    )
    try:
        for line in _read(looking.stdout, time.monotonic() + limit_s):
            told = json.loads(line)
            if told["part"] is None:
                return
            yield told
        code = looking.wait(GONE_WITHIN_S)
        yield {"part": None, "why": f"the process that looks ended with code {code}"}
    except (TimeoutError, subprocess.TimeoutExpired):
        return  # what did not come hangs
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(looking.pid, signal.SIGKILL)
        if looking.stdout is not None:
            looking.stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            looking.wait(GONE_WITHIN_S)


def _read(stream: IO[bytes] | None, until_s: float) -> Iterator[bytes]:
    """Yield whole lines until the stream ends.

    Raises:
        TimeoutError: it did not end in time.
    """
    if stream is None:
        return
    rest = b""
    while select.select([stream], [], [], max(0.0, until_s - time.monotonic()))[0]:
        chunk = os.read(stream.fileno(), CHUNK_BYTES)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    raise TimeoutError
