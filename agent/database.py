"""A SQLite file that outlives power cuts: in WAL mode, synced with each commit. Blocking; belongs to one thread."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

BUSY_S: Final = 1.0
"""Only a second daemon on the same folder makes us wait; it does not go away by waiting."""


class Database:
    """One file, of one process at a time."""

    def __init__(self, path: Path, *, version: int, schema: str) -> None:
        """A database that `open` has to open.

        Args:
            path: The file; its folder is made where it is missing.
            version: Of the schema; a file of another one is no good.
            schema: Statements that make what is not there yet.
        """
        self._path = path
        self._version = version
        self._schema = schema
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def open(self, read: Callable[[sqlite3.Connection], T]) -> tuple[T, str | None]:
        """Open the file, anew when it was open; one that is no good is moved aside.

        Args:
            read: Reads what it holds; a ValueError of it says that the file is no good.

        Returns:
            What it holds; and what was wrong with the file that was there, and where it went, as a clause.

        Raises:
            sqlite3.Error, OSError: neither can be done now.
        """
        self.close()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return read(self._connect()), None
            except sqlite3.OperationalError:
                raise  # the fault of the disk, or of the moment
            except (sqlite3.DatabaseError, ValueError) as error:
                aside = self._move_aside()
                return read(self._connect()), f"{error}; it is kept as {aside}"
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change what the file holds, all or nothing; after this it outlives a power cut.

        Raises:
            FileNotFoundError: the file is not open, or not where it was.
            sqlite3.Error, OSError: it holds what it held before.
        """
        if self._connection is None or not self.is_in_place:
            raise FileNotFoundError(errno.ENOENT, "the file was replaced or is not open", str(self._path))
        with _transaction(self._connection):
            yield self._connection

    @property
    def connection(self) -> sqlite3.Connection | None:
        """To read what it holds; None: it is not open."""
        return self._connection

    @property
    def is_in_place(self) -> bool:
        """Whether it is open, and still is where it was.

        SQLite goes on writing into a file that was deleted, and would lose everything with the next restart.

        Raises:
            OSError: the disk does not tell.
        """
        try:
            return self._connection is not None and self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file; it is as good as the last commit either way."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # a disk that is gone cannot be checkpointed; the commits stand
                connection.close()

    def _connect(self) -> sqlite3.Connection:
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
        if version not in {0, self._version}:
            msg = f"it was written by another version of this program (format {version})"
            raise ValueError(msg)
        with _transaction(connection):
            for statement in self._schema.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={self._version}")
        self._inode = self._path.stat().st_ino
        return connection

    def _move_aside(self) -> Path:
        self.close()
        aside = self._path.with_name(f"{self._path.name}.unreadable-{time.time_ns()}")
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):  # it had no such companion
                self._path.with_name(self._path.name + ending).rename(aside.with_name(aside.name + ending))
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
