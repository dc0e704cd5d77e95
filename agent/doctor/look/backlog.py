"""What waits in the outbox, read by its owner beside the running daemon."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from agent.clock import kernel_boot_id
from agent.doctor.facts import Backlog
from agent.doctor.look.asking import answer
from agent.uplink.disk import BUSY_S, FILE_NAME
from agent.uplink.entry import load_moment

if TYPE_CHECKING:
    from agent.doctor.look.case import Case


def look(case: Case) -> Backlog | None:
    """Count it.

    Raises:
        OSError: it cannot be read.
    """
    if case.config is None or not (file := case.config.state_folder / FILE_NAME).exists():
        return None
    owner = case.config.state_folder.stat()
    # SQLite makes files beside this one: made by root, they would lock the daemon out of its own outbox.
    as_owner = ("setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups")
    foreign = as_owner if os.geteuid() == 0 and owner.st_uid != 0 else ()
    return Backlog(**json.loads(answer(*foreign, sys.executable, "-m", __name__, str(file))))


def _count(file: Path) -> Backlog:
    calls = others = 0
    oldest_s = 0.0
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as outbox:
        for category, waiting in outbox.execute("SELECT category, count(*) FROM alerts GROUP BY category"):
            calls, others = (calls + waiting, others) if category == "help" else (calls, others + waiting)
        first = outbox.execute("SELECT recorded FROM alerts ORDER BY sequence LIMIT 1").fetchone()
    if first is not None:
        oldest_s = _age_s(first[0])
    return Backlog(calls, others, oldest_s)


def _age_s(recorded: str) -> float:
    """How long ago that was: exact within a boot, by the wall clock across boots."""
    import time  # noqa: PLC0415 - for the one who counts alone

    moment = load_moment(recorded)
    same_boot = moment.boot_id == kernel_boot_id()
    age_s = time.monotonic() - moment.monotonic_s if same_boot else time.time() - moment.wall.timestamp()
    return max(0.0, age_s)


if __name__ == "__main__":
    from dataclasses import asdict

    try:
        sys.stdout.write(json.dumps(asdict(_count(Path(sys.argv[1])))))
    except (sqlite3.Error, ValueError) as error:
        sys.exit(f"{sys.argv[1]} cannot be read: {error}")
