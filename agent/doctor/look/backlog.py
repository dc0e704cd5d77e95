"""What waits in the outbox, read from a copy: the daemon keeps the file itself locked, and nobody else may write there.

A copy is whole when the file did not change while its write-ahead log was copied: all that is new is behind that log's
end, and SQLite itself tells a last record that is not complete.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.clock import kernel_boot_id
from agent.doctor.facts import Backlog
from agent.uplink.disk import FILE_NAME
from agent.uplink.entry import load_moment

if TYPE_CHECKING:
    from agent.doctor.look.case import Case

TRIES: Final = 5
"""The daemon moves its log into the file each thousand pages: twice in a row is rare."""


def look(case: Case) -> Backlog | None:
    """Count it.

    Raises:
        OSError: it cannot be read.
    """
    if case.config is None or not (file := case.config.state_folder / FILE_NAME).exists():
        return None
    with tempfile.TemporaryDirectory(prefix="safepoint-doctor-") as folder:
        copy = _copied(file, Path(folder))
        try:
            return _counted(copy)
        except (sqlite3.Error, ValueError) as error:
            msg = f"{file} cannot be read: {error}"
            raise OSError(msg) from error


def _copied(file: Path, folder: Path) -> Path:
    log = file.with_name(f"{file.name}-wal")
    for _ in range(TRIES):
        before = file.stat().st_mtime_ns
        copy = Path(shutil.copyfile(file, folder / file.name))
        (folder / log.name).unlink(missing_ok=True)
        with suppress(FileNotFoundError):  # there is none while no daemon runs
            shutil.copyfile(log, folder / log.name)
        if file.stat().st_mtime_ns == before:
            return copy
    msg = f"{file} changes all the time"
    raise OSError(msg)


def _counted(file: Path) -> Backlog:
    calls = others = 0
    with closing(sqlite3.connect(file)) as outbox:
        for category, waiting in outbox.execute("SELECT category, count(*) FROM alerts GROUP BY category"):
            calls, others = (calls + waiting, others) if category == "help" else (calls, others + waiting)
        first = outbox.execute("SELECT recorded FROM alerts ORDER BY sequence LIMIT 1").fetchone()
    return Backlog(calls, others, 0.0 if first is None else _age_s(first[0]))


def _age_s(recorded: str) -> float:
    """How long ago that was: exact within a boot, by the wall clock across boots."""
    moment = load_moment(recorded)
    same_boot = moment.boot_id == kernel_boot_id()
    age_s = time.monotonic() - moment.monotonic_s if same_boot else time.time() - moment.wall.timestamp()
    return max(0.0, age_s)
