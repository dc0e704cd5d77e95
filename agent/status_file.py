"""What the daemon shows of itself to other programs of its machine: one small file, written anew each second.

It lies in the runtime folder, which is memory and goes with the daemon, however that ends: a file that is there is of a
daemon that lives, or hangs and will soon be ended by the watchdog. An update asks it whether a call is open, and
afterwards whether the new version does its work.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agent.apart import apart
from agent.durable import put_whole

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_NAME = "status.json"
WRITE_EVERY_S = 1.0
WRITTEN_WITHIN_S = 5.0


@dataclass(frozen=True)
class UnitStatus:
    """How the unit stands."""

    version: str
    pid: int
    written_s: float
    """On CLOCK_MONOTONIC, which all programs of this boot share."""
    armed: bool
    """All inputs were read, or it is known that there are none."""
    proofs: int
    """How often the service manager's watchdog was fed so far."""
    open_calls: int
    """Help calls and intrusions that are open and not forgotten (`agent.update.hold`): people depend on the unit."""
    connected: bool
    """A broker hears it."""
    working: tuple[str, ...]
    """The helper processes that do their work."""


_STATUS = TypeAdapter(UnitStatus)


class StatusFile:
    """Writes the file while the daemon lives."""

    def __init__(self, folder: Path | None, status: Callable[[], UnitStatus]) -> None:
        """A file that is not there yet.

        Args:
            folder: Where it will lie; None: nobody looks.
            status: How the unit stands now.
        """
        self._path = None if folder is None else folder / FILE_NAME
        self._status = status

    @classmethod
    def of_environment(cls, status: Callable[[], UnitStatus]) -> StatusFile:
        """The one in systemd's `RuntimeDirectory=`; outside systemd there is none."""
        runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
        return cls(Path(runtime) if runtime else None, status)

    async def run(self, working: Callable[[], None]) -> None:
        """Write until cancelled.

        Raises:
            OSError: the runtime folder does not take it.
            TimeoutError: it hangs, though it is memory.
        """
        while True:
            if self._path is not None:
                write = partial(put_whole, self._path, _STATUS.dump_json(self._status()), 0o644)
                await apart(write, name="status-file", within_s=WRITTEN_WITHIN_S)
            working()
            await asyncio.sleep(WRITE_EVERY_S)


def read_status(path: Path) -> UnitStatus | None:
    """The status in this file; None when there is none, or none that this version understands."""
    try:
        return _STATUS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
