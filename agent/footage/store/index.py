"""Which footage there is: a table over the segment files that can be rebuilt from them alone.

The files are the truth and the table a convenience: it is never fsynced on its own account, and whenever it is opened
it is made to agree with the folder. A month is a quarter of a million rows, so nothing that happens with each segment
looks at all of them.
"""

from __future__ import annotations

import io
import os
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.footage.keep.marks import Marks
from agent.footage.keep.retention import StorageClass
from agent.footage.store.boots import BootOrder
from agent.footage.store.segments import SegmentName
from agent.footage.store.spans import Spans
from agent.footage.store.transport import CELL_BYTES, read_frames

if TYPE_CHECKING:
    from pathlib import Path

    from agent.footage.keep.ages import BootSpan
    from agent.footage.store.stretch import Stretch

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
);
CREATE INDEX IF NOT EXISTS segment_of_boot ON segment (boot, start_s);
CREATE INDEX IF NOT EXISTS segment_open ON segment (seq) WHERE NOT closed;
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
    seq: int
    """Its place in the order of recording."""


class FootageIndex:
    """The table over one folder of segments. Safe to use from any thread; `sqlite3.Error` when the disk fails."""

    def __init__(self, database: Path, folder: Path) -> None:
        """Open the table, make a new one where it is broken, and let it agree with the files."""
        self._database = database
        self._folder = folder
        self._using = threading.Lock()
        self._boots = BootOrder(database.with_name("boots"))
        self._unsure: set[str] = set()
        self._spans = Spans()
        self._agreed_at: tuple[int, int] | None = None
        self._open()
        self.agree_with_files()

    def _open(self) -> None:
        try:
            self._db = self._connect()
        except sqlite3.OperationalError:
            raise  # the disk is full or read-only: not the table's fault
        except sqlite3.DatabaseError as error:
            log.warning("footage_index_broken", error=str(error), effect="rebuilt from the files")
            name = self._database.name
            for file in (self._database, *(self._database.with_name(name + end) for end in ("-wal", "-shm"))):
                file.unlink(missing_ok=True)
            self._db = self._connect()
        self._marks = Marks(self._db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._database, check_same_thread=False, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")  # the files are the truth: a table lost with the power is rebuilt
            db.execute("PRAGMA temp_store = MEMORY")  # where the marks lie: a full disk does not stop them
            db.executescript(SCHEMA)
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        if verdict != "ok":
            db.close()
            raise sqlite3.DatabaseError(verdict)
        return db

    def _where(self) -> tuple[int, int]:
        """The file that is open, wherever its name leads to later."""
        file = self._database.stat()
        return file.st_dev, file.st_ino

    def close(self) -> None:
        """Close the table."""
        with self._using:
            self._db.close()

    def agree_with_files(self) -> None:
        """Add files the table does not know, drop rows without a file, and end segments that lost their writer."""
        self._boots.read()
        unknown = {file.name for file in os.scandir(self._folder) if file.name.endswith(".ts")}
        with self._using:
            gone = []
            for name, closed in self._db.execute("SELECT name, closed FROM segment"):
                if name not in unknown:
                    gone.append((name,))
                elif closed:
                    unknown.remove(name)
            self._db.executemany("DELETE FROM segment WHERE name = ?", gone)
        self._make_up(unknown)
        with self._using:
            self._spans.load(self._db)
        self._agreed_at = self._where()

    def settle(self) -> None:
        """Make up for what a failing disk left behind, between two segments; nothing is to be written meanwhile.

        Ends segments that lost their writer. Follows the folder to the volume that lies there now, when the one the
        table was on went away under it.
        """
        try:
            moved = self._where() != self._agreed_at
        except FileNotFoundError:
            moved = True
        if moved:
            log.warning("footage_index_gone", effect="opened again where it should be")
            self._agreed_at = None  # and again if it fails: the new file may get the number of the old one
            with self._using:
                self._db.close()
                self._open()
            self.agree_with_files()
            return
        with self._using:
            left = {name for (name,) in self._db.execute("SELECT name FROM segment WHERE NOT closed")}
        self._make_up(left | self._unsure)

    def _make_up(self, names: set[str]) -> None:
        """Let the rows of these segments be as their files are; what a full disk does not take waits for `settle`."""
        segments = []
        for text in names:
            try:
                segments.append(SegmentName.parse(text))
            except ValueError as error:
                log.warning("stray_file_in_segments", error=str(error), effect="left alone")
        self._unsure |= {str(name) for name in segments}
        try:
            for name in self._boots.sort(segments):
                if (self._folder / str(name)).exists():
                    self._recover(name)
                else:
                    self._drop(str(name))
                self._unsure.discard(str(name))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            log.warning("footage_index_full", rows=len(self._unsure), effect="made up for when there is room")

    def opened(self, name: SegmentName) -> None:
        """A segment is being written; the file says how far."""
        self._boots.note(name.start.boot_id)
        self._unsure.add(str(name))  # until the table has it: the file is there already
        self._put(name, end_s=name.start.monotonic_s, frames=None, size_bytes=0, closed=False)
        self._unsure.discard(str(name))

    def ended(self, name: SegmentName, end_s: float, frames: int | None, size_bytes: int) -> None:
        """A segment is complete."""
        self._put(name, end_s=end_s, frames=frames, size_bytes=size_bytes, closed=True)

    def forget(self, segment: Segment) -> None:
        """Its file is gone."""
        self._drop(str(segment.name))

    def covering(self, boot: str, start_s: float, end_s: float) -> list[Segment]:
        """The segments of this boot that may hold frames between these moments, in order."""
        return self._select(
            # Those of one boot do not overlap: nothing before the last that begins by `start_s` can reach into it.
            "boot = ?1 AND start_s BETWEEN coalesce((SELECT max(start_s) FROM segment WHERE boot = ?1 AND"
            " start_s <= ?2), ?2) AND ?3 AND (end_s >= ?2 OR NOT closed) ORDER BY start_s",
            boot,
            start_s,
            end_s,
        )

    def segments(self) -> list[Segment]:
        """All of them, in the order of their recording."""
        return self._select("TRUE ORDER BY seq")

    def bytes_per_s(self, count: int) -> float:
        """How fast footage is written, from so many of the segments that were completed last; 0: nobody knows."""
        newest = next(iter(self._select("closed ORDER BY seq DESC LIMIT 1")), None)
        if newest is None:
            return 0.0
        with self._using:
            size_bytes, found, filmed_s = self._db.execute(
                "SELECT sum(bytes), count(*), sum(end_s - start_s) FROM"
                " (SELECT bytes, start_s, end_s FROM segment WHERE closed ORDER BY seq DESC LIMIT ?)",
                (count,),
            ).fetchone()
        return float(size_bytes / (filmed_s + found * newest.name.frame_s))

    def spans(self) -> list[BootSpan]:
        """What the names say of each boot's time, in the order of recording."""
        with self._using:
            return self._spans.all()

    def protect(self, kept: dict[StorageClass, frozenset[Stretch]]) -> None:
        """From now on the segments that these stretches touch are of these classes, and all others rolling."""
        with self._using:
            self._marks.protect(kept)

    def ease(self, segment: Segment) -> None:
        """It is rolling from now on, until what protects it changes."""
        with self._using:
            self._marks.clear(segment.seq)

    def oldest(self, kept_for: StorageClass = StorageClass.ROLLING) -> Segment | None:
        """The complete segment of this class that was recorded first."""
        with self._using:
            seq = self._marks.oldest(kept_for)
        return None if seq is None else next(iter(self._select("seq = ?", seq)), None)

    def bytes_of(self, kept_for: StorageClass) -> int:
        """What the complete segments of this class hold."""
        with self._using:
            return self._marks.total_bytes(kept_for)

    def _drop(self, name: str) -> None:
        with self._using:
            self._db.execute("DELETE FROM segment WHERE name = ?", (name,))

    def _recover(self, name: SegmentName) -> None:
        path = self._folder / str(name)
        end_s, size_bytes = last_moment(path, name), path.stat().st_size
        if end_s is None:
            log.warning("segment_without_a_frame", name=path.name, size_bytes=size_bytes, effect="removed")
            path.unlink()
            self._drop(path.name)
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
            self._marks.look_at(start.boot_id, start.monotonic_s, end_s)
            if closed:
                self._spans.widen(name, end_s)

    def _select(self, where: str, *values: object) -> list[Segment]:
        query = f"SELECT name, end_s, frames, bytes, closed, seq FROM segment WHERE {where}"  # noqa: S608 - our own words
        with self._using:
            rows = self._db.execute(query, values).fetchall()
        return [
            Segment(self._folder / name, SegmentName.parse(name), end_s, frames, size_bytes, bool(closed), seq)
            for name, end_s, frames, size_bytes, closed, seq in rows
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
