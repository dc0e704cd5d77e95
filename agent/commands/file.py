"""The file of commands and audit: SQLite in WAL mode, synced with each commit. Blocking; belongs to one thread.

A file of its own beside the outbox: neither a flood of commands nor a damaged audit may cost an alert.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.commands import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agent.commands.chain import Record

FILE_NAME: Final = "commands.sqlite"
VERSION: Final = 1
KEPT_RECORDS: Final = 20_000
"""Audit records on the unit, 10 to 20 MB: years of ordinary use, hours of the worst flood a broker passes on."""
PRUNE_EVERY: Final = 500
BUSY_S: Final = 1.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS commands (ref TEXT PRIMARY KEY, place INTEGER NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
    place INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, record TEXT NOT NULL, sent INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS unsent ON audit (place) WHERE sent = 0;
"""


@dataclass(frozen=True)
class Contents:
    """What the last life of the unit left."""

    entries: tuple[ledger.Entry, ...] = ()
    last_hash: str | None = None
    """Of the newest record; None: there is none."""
    moved_aside: str | None = None
    """The file that was here could not be read; where it went and why."""
    unreadable: int = 0
    """Commands that could not be read, though the file could."""


@dataclass(frozen=True)
class Writing:
    """What is to be written together."""

    entries: tuple[ledger.Entry, ...] = ()
    forgotten: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    sent: tuple[str, ...] = ()
    """Hashes of records that the broker has."""
    dumped: dict[str, str] = field(default_factory=dict)
    """The entries as text, made when they were handed over: they go on changing."""


def writing(
    *,
    entries: Sequence[ledger.Entry] = (),
    forgotten: Sequence[str] = (),
    records: Sequence[Record] = (),
    sent: Sequence[str] = (),
) -> Writing:
    """What is to be written, as it stands now."""
    dumped = {entry.ref: ledger.dump(entry) for entry in entries}
    return Writing(tuple(entries), tuple(forgotten), tuple(records), tuple(sent), dumped)


class CommandFile:
    """The file in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._until_pruned = 0

    def open(self) -> Contents:
        """Open the file, anew when it was open; one that is no good is moved aside.

        Raises:
            sqlite3.Error, OSError: neither can be done now.
        """
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return self._load()
        except sqlite3.OperationalError:
            raise  # the disk's fault, or the moment's
        except (sqlite3.DatabaseError, ValueError) as error:
            self.close()
            aside = self._path.with_name(f"{FILE_NAME}.unreadable-{time.time_ns()}")
            for ending in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):  # it had no such companion
                    self._path.with_name(FILE_NAME + ending).rename(aside.with_name(aside.name + ending))
            self._load()
            return Contents(moved_aside=f"{error}; it is kept as {aside}")

    def write(self, writings: Sequence[Writing]) -> None:
        """Write all of this in one transaction; on return it outlives a power cut.

        Raises:
            sqlite3.Error, OSError: nothing of it was written.
        """
        if not self._is_in_place():
            self.open()  # SQLite would go on writing into a file that was deleted
        connection = self._connection
        assert connection is not None  # noqa: S101 - `open` made it or raised
        with _transaction(connection):
            for each in writings:
                self._write(connection, each)

    def unsent(self, most: int) -> list[Record]:
        """The oldest records that the broker does not have.

        Raises:
            sqlite3.Error, OSError: they cannot be read now.
        """
        if self._connection is None:
            self.open()
        assert self._connection is not None  # noqa: S101 - as above
        rows = self._connection.execute("SELECT record FROM audit WHERE sent = 0 ORDER BY place LIMIT ?", (most,))
        return [json.loads(record) for (record,) in rows]

    def close(self) -> None:
        """Close the file; it is as good as the last commit either way."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # a disk that is gone cannot be checkpointed; the commits stand
                connection.close()

    def _is_in_place(self) -> bool:
        try:
            return self._connection is not None and self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _load(self) -> Contents:
        self._connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        connection = self._connection
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
        entries, unreadable = [], 0
        for (text,) in connection.execute("SELECT entry FROM commands ORDER BY place").fetchall():
            try:
                entries.append(ledger.load(text))
            except ValueError:
                unreadable += 1
        row = connection.execute("SELECT hash FROM audit ORDER BY place DESC LIMIT 1").fetchone()
        return Contents(tuple(entries), None if row is None else row[0], unreadable=unreadable)

    def _write(self, connection: sqlite3.Connection, each: Writing) -> None:
        for ref, text in each.dumped.items():
            connection.execute(
                "INSERT INTO commands VALUES (?, (SELECT coalesce(max(place), 0) + 1 FROM commands), ?) "
                "ON CONFLICT (ref) DO UPDATE SET entry = excluded.entry",
                (ref, text),
            )
        connection.executemany("DELETE FROM commands WHERE ref = ?", ((ref,) for ref in each.forgotten))
        # A record may be handed over again after a failure that came too late to prevent it.
        connection.executemany(
            "INSERT OR IGNORE INTO audit (hash, record, sent) VALUES (?, ?, 0)",
            ((record["hash"], json.dumps(record)) for record in each.records),
        )
        connection.executemany("UPDATE audit SET sent = 1 WHERE hash = ?", ((hash_,) for hash_ in each.sent))
        self._until_pruned -= len(each.records)
        if self._until_pruned < 0:
            self._until_pruned = PRUNE_EVERY
            connection.execute("DELETE FROM audit WHERE place <= (SELECT max(place) FROM audit) - ?", (KEPT_RECORDS,))


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
