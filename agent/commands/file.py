"""What the file of commands and audit holds, and how it is read and written. Blocking; belongs to one thread.

A file of its own beside the outbox: neither a flood of commands nor a damaged audit may cost an alert.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import structlog

from agent.commands import ledger
from agent.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.commands.chain import Record

log = structlog.get_logger()

FILE_NAME: Final = "commands.sqlite"
VERSION: Final = 1
KEPT_RECORDS: Final = 20_000
"""Audit records on the unit, 10 to 20 MB: years of ordinary use, hours of the worst flood a broker passes on."""
PRUNE_EVERY: Final = 500
RECENT: Final = 1_000
"""Records among which is looked for outcomes: the last life wrote them within its last moments."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS commands (ref TEXT PRIMARY KEY, place INTEGER NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
    place INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, record TEXT NOT NULL, sent INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS unsent ON audit (place) WHERE sent = 0;
"""


class NotWritten(Exception):
    """The disk did not take it, or not in time."""


@dataclass(frozen=True)
class Contents:
    """What the last life of the unit left."""

    entries: tuple[ledger.Entry, ...] = ()
    outcomes: frozenset[str] = frozenset()
    """Alerts of which one of the newest records says how they ended."""
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
        self._database = Database(folder / FILE_NAME, version=VERSION, schema=_SCHEMA)
        self._until_pruned = 0

    def open(self) -> Contents:
        """Open the file, anew when it was open; one that is no good is moved aside.

        Raises:
            sqlite3.Error, OSError: neither can be done now.
        """
        contents, moved_aside = self._database.open(_read)
        return replace(contents, moved_aside=moved_aside)

    def write(self, writings: Sequence[Writing]) -> None:
        """Write all of this in one transaction; on return it outlives a power cut.

        Raises:
            sqlite3.Error, OSError: nothing of it was written.
        """
        if not self._database.is_in_place:
            self.open()
        with self._database.transaction() as connection:
            for each in writings:
                self._write(connection, each)

    def unsent(self, most: int) -> list[Record]:
        """The oldest records that the broker does not have.

        Raises:
            sqlite3.Error, OSError: they cannot be read now.
        """
        if self._database.connection is None:
            self.open()
        connection = self._database.connection
        assert connection is not None  # noqa: S101 - `open` made it or raised
        rows = connection.execute("SELECT record FROM audit WHERE sent = 0 ORDER BY place LIMIT ?", (most,))
        return [json.loads(record) for (record,) in rows]

    def close(self) -> None:
        """Close the file; it is as good as the last commit either way."""
        self._database.close()

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


def _read(connection: sqlite3.Connection) -> Contents:
    entries, unreadable = [], 0
    for (text,) in connection.execute("SELECT entry FROM commands ORDER BY place").fetchall():
        try:
            entries.append(ledger.load(text))
        except ValueError:
            unreadable += 1
    row = connection.execute("SELECT hash FROM audit ORDER BY place DESC LIMIT 1").fetchone()
    return Contents(tuple(entries), _outcomes(connection), None if row is None else row[0], unreadable=unreadable)


def _outcomes(connection: sqlite3.Connection) -> frozenset[str]:
    newest = "SELECT record FROM audit ORDER BY place DESC LIMIT ?"
    rows = connection.execute(f"SELECT record FROM ({newest}) WHERE record LIKE '%\"outcome\"%'", (RECENT,))  # noqa: S608
    records = [json.loads(record) for (record,) in rows]
    return frozenset(record["alertId"] for record in records if record["what"] == "outcome")


def as_not_written(error: Exception) -> NotWritten:
    """Our own mistakes are taken like a bad disk: commands go on without the file, as without a disk."""
    if isinstance(error, sqlite3.Error | OSError):
        return NotWritten(str(error))
    log.error("command_file_failed", exc_info=error)
    return NotWritten(f"{type(error).__name__}: {error}")
