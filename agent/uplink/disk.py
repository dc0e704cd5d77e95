"""The outbox's file: SQLite, in WAL mode, synced with each commit. Blocking; belongs to one thread."""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agent.uplink.entry import Entry, Key, dump_moment, dump_tell, load_moment, load_tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FILE_NAME: Final = "outbox.sqlite"
VERSION: Final = 1
BUSY_S: Final = 1.0
"""Only a second daemon on the same folder makes us wait; it does not go away by waiting."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alerts (
    alert_id TEXT NOT NULL, revision INTEGER NOT NULL, category TEXT NOT NULL, urgent INTEGER NOT NULL,
    sequence INTEGER NOT NULL, tell TEXT NOT NULL, recorded TEXT NOT NULL,
    attempts INTEGER NOT NULL, late INTEGER NOT NULL,
    PRIMARY KEY (alert_id, revision)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memories (alert_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (one INTEGER PRIMARY KEY CHECK (one = 1), meta TEXT NOT NULL);
"""


class DiskTrouble(Exception):
    """The file cannot be read or written now."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        """A short stable word."""
        self.text = text


@dataclass(frozen=True)
class Meta:
    """What is known of the unit's numbers and ids."""

    next_sequence: int
    reserved_sequence: int
    spare_help_id: str
    at_start_help_id: str | None = None
    clean: bool = False
    """The file was closed in order: everything above is exact."""


@dataclass(frozen=True)
class Contents:
    """All that the file holds."""

    entries: tuple[Entry, ...] = ()
    memories: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    meta: Meta | None = None
    """None: the file is new."""
    moved_aside: str | None = None
    """The file that was here could not be read; where it went and why."""
    unreadable: int = 0
    """Alerts that could not be read, though the file could."""


@dataclass(frozen=True)
class Change:
    """What is to change, in one transaction."""

    meta: Meta
    put: tuple[Entry, ...] = ()
    progress: tuple[Entry, ...] = ()
    """Entries that were sent once more."""
    remove: tuple[Key, ...] = ()
    remember: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    lazy: bool = False
    """It may wait a little for company: losing it costs a repetition, no more."""


class Disk:
    """The file in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def open(self) -> Contents:
        """Open the file, anew when it was open; a file that is no good is moved aside.

        Raises:
            DiskTrouble: neither can be done now.
        """
        self.close()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                return self._load()
            except (sqlite3.DatabaseError, ValueError) as error:
                if not _is_corruption(error):
                    raise
                moved = self._move_aside()
                contents = self._load()
                return Contents(meta=contents.meta, moved_aside=f"{error}; it is kept as {moved}")
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise _trouble(error, self._path) from error

    def apply(self, changes: Iterable[Change]) -> None:
        """Make these changes in one transaction; on return they outlive a power cut.

        Raises:
            DiskTrouble: none of them was made.
        """
        try:
            connection = self._live_connection()
            with _transaction(connection):
                for change in changes:
                    _apply(connection, change)
        except (sqlite3.Error, OSError) as error:
            raise _trouble(error, self._path) from error

    def rewrite(self, everything: Change) -> None:
        """Replace all that the file holds.

        Raises:
            DiskTrouble: it holds what it held before.
        """
        try:
            connection = self._live_connection()
            with _transaction(connection):
                connection.execute("DELETE FROM alerts")
                connection.execute("DELETE FROM memories")
                _apply(connection, everything)
        except (sqlite3.Error, OSError) as error:
            raise _trouble(error, self._path) from error

    def close(self) -> None:
        """Close the file; it is as good as the last commit either way."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # a disk that is gone cannot be checkpointed; the commits stand
                connection.close()

    def _load(self) -> Contents:
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        self._connection = connection
        # One daemon a folder: two would give the same numbers. It also spares WAL its shared-memory file.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, VERSION}:
            msg = f"it was written by another version of this program (format {version})"
            raise ValueError(msg)
        with _transaction(connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        self._inode = self._path.stat().st_ino
        return _read(connection)

    def _live_connection(self) -> sqlite3.Connection:
        """The open connection to the file that still is where it was.

        SQLite goes on writing into a file that was deleted, and would lose everything with the next restart.
        """
        if self._connection is None or self._path.stat().st_ino != self._inode:
            raise FileNotFoundError(errno.ENOENT, "the file was replaced or is not open", str(self._path))
        return self._connection

    def _move_aside(self) -> Path:
        self.close()
        aside = self._path.with_name(f"{FILE_NAME}.unreadable-{time.time_ns()}")
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):  # it had no such companion
                self._path.with_name(FILE_NAME + ending).rename(aside.with_name(aside.name + ending))
        return aside


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise


def _apply(connection: sqlite3.Connection, change: Change) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (_row(entry) for entry in change.put)
    )
    connection.executemany(
        "UPDATE alerts SET attempts = ?, late = ? WHERE alert_id = ? AND revision = ?",
        ((entry.attempts, entry.late, *entry.key) for entry in change.progress),
    )
    connection.executemany("DELETE FROM alerts WHERE alert_id = ? AND revision = ?", change.remove)
    for alert_id, state in change.remember.items():
        if state is None:
            connection.execute("DELETE FROM memories WHERE alert_id = ?", (alert_id,))
        else:
            connection.execute("INSERT OR REPLACE INTO memories VALUES (?, ?)", (alert_id, json.dumps(state)))
    connection.execute("INSERT OR REPLACE INTO meta VALUES (1, ?)", (json.dumps(asdict(change.meta)),))


def _row(entry: Entry) -> tuple[object, ...]:
    tell = entry.tell
    return (
        *entry.key,
        tell.category.value,
        tell.urgent,
        entry.sequence,
        dump_tell(tell),
        dump_moment(entry.recorded),
        entry.attempts,
        entry.late,
    )


def _read(connection: sqlite3.Connection) -> Contents:
    entries: list[Entry] = []
    unreadable = 0
    rows = connection.execute("SELECT tell, sequence, recorded, attempts, late FROM alerts ORDER BY sequence")
    for tell, sequence, recorded, attempts, late in rows.fetchall():
        try:
            entries.append(
                Entry(load_tell(tell), sequence, load_moment(recorded), attempts, bool(late), stored=True, settled=True)
            )
        except ValueError:
            unreadable += 1
    memories = dict(connection.execute("SELECT alert_id, state FROM memories").fetchall())
    row = connection.execute("SELECT meta FROM meta").fetchone()
    return Contents(
        entries=tuple(entries),
        memories={alert_id: json.loads(state) for alert_id, state in memories.items()},
        meta=None if row is None else _meta(row[0]),
        unreadable=unreadable,
    )


def _meta(text: str) -> Meta:
    try:
        return Meta(**json.loads(text))
    except TypeError as error:
        msg = f"its numbers are not readable: {error}"
        raise ValueError(msg) from error


def _is_corruption(error: Exception) -> bool:
    """Whether the file itself is bad; an OperationalError is the fault of the disk or of the moment."""
    return not isinstance(error, sqlite3.OperationalError)


def _trouble(error: sqlite3.Error | OSError, path: Path) -> DiskTrouble:
    name = getattr(error, "sqlite_errorname", "") or errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    if name in {"SQLITE_FULL", "ENOSPC", "EDQUOT"}:
        return DiskTrouble("disk-full", f"the disk is full: {path}")
    if name.startswith("SQLITE_READONLY") or name in {"EROFS", "EACCES", "EPERM"}:
        return DiskTrouble("disk-read-only", f"the disk cannot be written: {path}")
    if name.startswith("SQLITE_BUSY"):
        return DiskTrouble("outbox-in-use", f"another process has the outbox open: {path}")
    return DiskTrouble("disk-lost", f"the disk does not work: {path}: {error}")
