"""Which footage there is: a table over the segment files that can be rebuilt from them alone.

The files are the truth and the table a convenience: it is never fsynced on its own account, and whenever it is opened
it is made to agree with the folder.
"""

from __future__ import annotations

import io
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.footage.segments import SegmentName
from agent.footage.transport import CELL_BYTES, read_frames

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

SCHEMA = """
CREATE TABLE IF NOT EXISTS segment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of recording, whatever the wall clock said
    name TEXT NOT NULL UNIQUE,
    boot TEXT NOT NULL,
    start_s REAL NOT NULL,                  -- of the first frame, CLOCK_MONOTONIC of that boot
    end_s REAL NOT NULL,                    -- of the last frame
    wall TEXT NOT NULL,
    quality TEXT NOT NULL,
    frames INTEGER,                         -- NULL: its writer died before it counted them
    bytes INTEGER NOT NULL,
    closed INTEGER NOT NULL
)
"""
TAIL_BYTES = CELL_BYTES * 128
"""Where the last whole frame of a segment is looked for first: 24 kB, a frame or two. When the table of 20 GB is gone
this reads 200 MB of it, which is seconds; whole files would be minutes without recording."""


@dataclass(frozen=True)
class Segment:
    """One row."""

    path: Path
    name: SegmentName
    end_s: float
    frames: int | None
    size_bytes: int
    closed: bool


class FootageIndex:
    """The table over one folder of segments. Safe to use from any thread; `sqlite3.Error` when the disk fails."""

    def __init__(self, database: Path, folder: Path) -> None:
        """Open the table, make a new one where it is broken, and let it agree with the files."""
        self._folder = folder
        self._using = threading.Lock()
        try:
            self._db = self._connect(database)
        except sqlite3.OperationalError:
            raise  # the disk is full or read-only: not the table's fault
        except sqlite3.DatabaseError as error:
            log.warning("footage_index_broken", error=str(error), effect="rebuilt from the files")
            for file in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
                file.unlink(missing_ok=True)
            self._db = self._connect(database)
        self.agree_with_files()

    def _connect(self, database: Path) -> sqlite3.Connection:
        db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")  # the files are the truth: a table lost with the power is rebuilt
            db.execute(SCHEMA)
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        if verdict != "ok":
            db.close()
            raise sqlite3.DatabaseError(verdict)
        return db

    def close(self) -> None:
        """Close the table."""
        with self._using:
            self._db.close()

    def agree_with_files(self) -> None:
        """Add files the table does not know, drop rows without a file, and end segments that lost their writer."""
        files = {path.name: path for path in self._folder.glob("*.ts")}
        with self._using:
            rows = dict(self._db.execute("SELECT name, closed FROM segment").fetchall())
            self._db.executemany("DELETE FROM segment WHERE name = ?", [(name,) for name in rows.keys() - files.keys()])
        for name in sorted(files):
            if not rows.get(name):
                self._recover(files[name])

    def opened(self, name: SegmentName) -> None:
        """A segment is being written; the file says how far."""
        self._put(name, end_s=name.start.monotonic_s, frames=None, size_bytes=0, closed=False)

    def ended(self, name: SegmentName, end_s: float, frames: int | None, size_bytes: int) -> None:
        """A segment is complete."""
        self._put(name, end_s=end_s, frames=frames, size_bytes=size_bytes, closed=True)

    def forget(self, segment: Segment) -> None:
        """Its file is gone."""
        with self._using:
            self._db.execute("DELETE FROM segment WHERE name = ?", (str(segment.name),))

    def covering(self, boot: str, start_s: float, end_s: float) -> list[Segment]:
        """The segments of this boot that may hold frames between these moments, in order."""
        return self._select(
            "boot = ? AND start_s <= ? AND (end_s >= ? OR NOT closed) ORDER BY start_s", boot, end_s, start_s
        )

    def segments(self) -> list[Segment]:
        """All of them, in the order of their recording."""
        return self._select("TRUE ORDER BY seq")

    def oldest(self) -> Segment | None:
        """The complete segment that was recorded first."""
        return next(iter(self._select("closed ORDER BY seq LIMIT 1")), None)

    def total_bytes(self) -> int:
        """What all complete segments hold."""
        with self._using:
            (total,) = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM segment").fetchone()
        return int(total)

    def _recover(self, path: Path) -> None:
        try:
            name = SegmentName.parse(path.name)
        except ValueError as error:
            log.warning("stray_file_in_segments", error=str(error), effect="left alone")
            return
        end_s, size_bytes = last_moment(path, name), path.stat().st_size
        if end_s is None:
            log.warning("segment_without_a_frame", name=path.name, size_bytes=size_bytes, effect="removed")
            path.unlink()
            with self._using:
                self._db.execute("DELETE FROM segment WHERE name = ?", (path.name,))
            return
        self.ended(name, end_s, None, size_bytes)
        log.info("segment_recovered", name=path.name, size_bytes=size_bytes, end_s=end_s)

    def _put(self, name: SegmentName, *, end_s: float, frames: int | None, size_bytes: int, closed: bool) -> None:
        start = name.start
        row = (str(name), start.boot_id, start.monotonic_s, end_s, start.wall.isoformat(), start.quality)
        with self._using:
            self._db.execute(
                "INSERT INTO segment (name, boot, start_s, end_s, wall, quality, frames, bytes, closed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET end_s = excluded.end_s,"
                " frames = excluded.frames, bytes = excluded.bytes, closed = excluded.closed",
                (*row, frames, size_bytes, closed),
            )

    def _select(self, where: str, *values: object) -> list[Segment]:
        query = f"SELECT name, end_s, frames, bytes, closed FROM segment WHERE {where}"  # noqa: S608 - our own words
        with self._using:
            rows = self._db.execute(query, values).fetchall()
        return [
            Segment(self._folder / name, SegmentName.parse(name), end_s, frames, size_bytes, bool(closed))
            for name, end_s, frames, size_bytes, closed in rows
        ]


def last_moment(path: Path, name: SegmentName) -> float | None:
    """The moment of the last whole frame of a segment, or None when it holds none."""
    size = path.stat().st_size
    tail = TAIL_BYTES
    with path.open("rb") as file:
        while True:
            start = max(0, size - tail) // CELL_BYTES * CELL_BYTES
            file.seek(start)
            end = io.BytesIO(file.read())
            frames = read_frames(end, name.start.monotonic_s, name.frame_s, from_key_frame=start == 0)
            moments = [frame.taken_s for frame in frames]
            if moments or start == 0:
                return moments[-1] if moments else None
            tail *= 4  # no whole frame in there: look further back
