"""What became of each bundle: told to the journal, to the engineer and to the daemon, which tells the control room."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from agent.durable import put_whole, sync_folder
from agent.update.standing import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.update.standing import StandingFile

log = structlog.get_logger()

FILE_NAME = "outcomes.txt"
OUTCOMES_KEPT = 100


class Outcomes:
    """Those of one unit, the last hundred."""

    def __init__(self, folder: Path, standing: StandingFile, wall_s: Callable[[], float]) -> None:
        """None told yet.

        Args:
            folder: The update's own.
            standing: What the daemon reads.
            wall_s: The clock that stamps them for the control room.
        """
        self._file = folder / FILE_NAME
        self._standing = standing
        self._wall_s = wall_s

    def over(self, bundle: Path, result: Result, text: str, version: str | None = None) -> None:
        """Tell what became of a bundle, and remove it.

        Raises:
            OSError: the disk does not take it.
        """
        self.tell(bundle, result, text, version)
        bundle.unlink()
        sync_folder(bundle.parent)

    def tell(self, bundle: Path, result: Result, text: str, version: str | None) -> None:
        """Tell what became of a bundle that stays where it is.

        Raises:
            OSError: the disk does not take it.
        """
        outcome = f"{result.replace('-', ' ')}: {text}"
        tell = log.info if result is Result.TAKEN else log.warning
        tell("update_done", bundle=bundle.name, outcome=outcome)
        self._standing.ended(result, bundle.name, version, text, datetime.fromtimestamp(self._wall_s(), UTC))
        earlier: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            earlier = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = [*earlier[1 - OUTCOMES_KEPT :], f"{now} {bundle.name}: {outcome}"]
        put_whole(self._file, "".join(f"{line}\n" for line in lines).encode(), 0o644)
