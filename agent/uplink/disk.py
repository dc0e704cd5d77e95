"""What the outbox's file holds, and how it is read and changed. Blocking; belongs to one thread."""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.database import Database
from agent.uplink.clears import Clear, dump_clear, load_clear
from agent.uplink.entry import Entry, Key, dump_moment, dump_tell, load_moment, load_tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

log = structlog.get_logger()

FILE_NAME: Final = "outbox.sqlite"
VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alerts (
    alert_id TEXT NOT NULL, revision INTEGER NOT NULL, category TEXT NOT NULL, urgent INTEGER NOT NULL,
    sequence INTEGER NOT NULL, tell TEXT NOT NULL, recorded TEXT NOT NULL,
    attempts INTEGER NOT NULL, late INTEGER NOT NULL,
    PRIMARY KEY (alert_id, revision)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memories (alert_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clears (
    alert_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, paths TEXT NOT NULL
) WITHOUT ROWID;
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
    clears: Mapping[str, Clear] = field(default_factory=dict)
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
    clears: Mapping[str, Clear | None] = field(default_factory=dict)
    lazy: bool = False
    """It may wait a little for company: losing it costs a repetition, no more."""


class Disk:
    """The file in its folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._database = Database(self._path, version=VERSION, schema=_SCHEMA)

    def open(self) -> Contents:
        """Open the file, anew when it was open; a file that is no good is moved aside.

        Raises:
            DiskTrouble: neither can be done now.
        """
        try:
            contents, moved_aside = self._database.open(_read)
        except (sqlite3.Error, OSError) as error:
            raise _trouble(error, self._path) from error
        return replace(contents, moved_aside=moved_aside)

    def apply(self, changes: Iterable[Change]) -> None:
        """Make these changes in one transaction; on return they outlive a power cut.

        Raises:
            DiskTrouble: none of them was made.
        """
        with self._transaction() as connection:
            for change in changes:
                _apply(connection, change)

    def rewrite(self, everything: Change) -> None:
        """Replace all that the file holds.

        Raises:
            DiskTrouble: it holds what it held before.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM alerts")
            connection.execute("DELETE FROM memories")
            connection.execute("DELETE FROM clears")
            _apply(connection, everything)

    def close(self) -> None:
        """Close the file; it is as good as the last commit either way."""
        self._database.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._database.transaction() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise _trouble(error, self._path) from error


def as_trouble(error: Exception) -> DiskTrouble:
    """Our own mistakes are reported like a bad disk, since alerts go on without either."""
    if isinstance(error, DiskTrouble):
        return error
    log.error("outbox_failed", exc_info=error)
    return DiskTrouble("outbox-failed", f"the outbox failed: {type(error).__name__}: {error}")


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
    for alert_id, clear in change.clears.items():
        if clear is None:
            connection.execute("DELETE FROM clears WHERE alert_id = ?", (alert_id,))
        else:
            connection.execute("INSERT OR REPLACE INTO clears VALUES (?, ?, ?)", (alert_id, *dump_clear(clear)))
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
    clears = connection.execute("SELECT alert_id, revision, paths FROM clears").fetchall()
    row = connection.execute("SELECT meta FROM meta").fetchone()
    return Contents(
        entries=tuple(entries),
        memories={alert_id: json.loads(state) for alert_id, state in memories.items()},
        clears={alert_id: load_clear(revision, paths) for alert_id, revision, paths in clears},
        meta=None if row is None else _meta(row[0]),
        unreadable=unreadable,
    )


def _meta(text: str) -> Meta:
    try:
        return Meta(**json.loads(text))
    except TypeError as error:
        msg = f"its numbers are not readable: {error}"
        raise ValueError(msg) from error


def _trouble(error: sqlite3.Error | OSError, path: Path) -> DiskTrouble:
    name = getattr(error, "sqlite_errorname", "") or errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    if name in {"SQLITE_FULL", "ENOSPC", "EDQUOT"}:
        return DiskTrouble("disk-full", f"the disk is full: {path}")
    if name.startswith("SQLITE_READONLY") or name in {"EROFS", "EACCES", "EPERM"}:
        return DiskTrouble("disk-read-only", f"the disk cannot be written: {path}")
    if name.startswith("SQLITE_BUSY"):
        return DiskTrouble("outbox-in-use", f"another process has the outbox open: {path}")
    return DiskTrouble("disk-lost", f"the disk does not work: {path}: {error}")
