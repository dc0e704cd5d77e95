"""Reads the audit out of the files that hold it: the unit's own, and what a control room wrote down. Changes none.

The unit's file is read from a copy: SQLite would write into the file that it opens, which may be evidence, and a
running unit lets nobody else open its own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.commands.verdict import Break, Fault, is_record
from agent.uplink.topics import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.commands.chain import Record

UNITS_OWN: Final = "the unit's own file"
_SQLITE: Final = b"SQLite format 3\0"
_SALTS: Final = slice(16, 24)
"""Where a write-ahead log says which one it is; they change when it begins anew (sqlite.org/fileformat2.html 4.1)."""
_TRIES: Final = 20
_DAMAGED_TOLD: Final = 5


class CopyUnreadable(Exception):
    """The file cannot be read now; the text says why."""


@dataclass
class Copy:
    """The records of one unit in one file, as they stand there."""

    unit: str
    """`ORGANISATION/UNIT`, or that it is the unit's own file, which does not say."""
    records: list[Record] = field(default_factory=list)
    damage: list[Break] = field(default_factory=list)
    """What could not be read."""

    @property
    def is_units_own(self) -> bool:
        """Whether the unit itself kept it."""
        return self.unit == UNITS_OWN


def read(path: Path) -> list[Copy]:
    """The audits in a file: `commands.sqlite` of a unit, or lines of a journal or of messages; one for each unit.

    Raises:
        CopyUnreadable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(_SQLITE)) == _SQLITE
        return [_of_unit(path)] if is_sqlite else _of_lines(path)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise CopyUnreadable(msg) from error


# --- the unit's own file ---------------------------------------------------------------------------------------------


def _of_unit(path: Path) -> Copy:
    copy = Copy(UNITS_OWN)
    with tempfile.TemporaryDirectory(prefix="safepoint-audit-") as folder:
        taken = Path(folder) / "commands.sqlite"
        _take(path, taken)
        try:
            with contextlib.closing(sqlite3.connect(taken)) as connection:
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    copy.damage.append(Break(Fault.UNREADABLE, f"the file is damaged: {verdict}"))
                if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").fetchone():
                    return copy  # a file of something else
                for place, text in connection.execute("SELECT place, record FROM audit ORDER BY place"):
                    _add(copy, f"place {place}", _decoded(text))
        except sqlite3.Error as error:
            copy.damage.append(Break(Fault.UNREADABLE, f"the file is cut off or damaged: {error}"))
    return copy


def _take(path: Path, taken: Path) -> None:
    """Copy the file and its write-ahead log as they were at one moment, though the unit goes on writing.

    What is copied of the file while the log is written back into it is in the log too. So both together are good as
    long as the log is still the same one when they are copied.

    Raises:
        OSError: they cannot be copied.
        CopyUnreadable: the log is another one each time.
    """
    log, its_copy = path.with_name(path.name + "-wal"), taken.with_name(taken.name + "-wal")
    for _ in range(_TRIES):
        before = _log_of(log)
        shutil.copyfile(path, taken)
        its_copy.unlink(missing_ok=True)
        if before:
            with contextlib.suppress(FileNotFoundError):  # the unit ended: then it is another one now
                shutil.copyfile(log, its_copy)
        if before == _log_of(log):
            return
    msg = f"{path} changes faster than it can be copied: try again, or stop the unit for that moment"
    raise CopyUnreadable(msg)


def _log_of(log: Path) -> bytes:
    """Which write-ahead log it is; empty when there is none."""
    try:
        with log.open("rb") as file:
            return file.read(_SALTS.stop)[_SALTS]
    except FileNotFoundError:
        return b""


# --- lines -----------------------------------------------------------------------------------------------------------


def _of_lines(path: Path) -> list[Copy]:
    """The audits in a control room's journal, or in lines of messages as any MQTT client prints them."""
    copies: dict[str, Copy] = {}
    torn: list[int] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            said = _decoded(line)
            if not isinstance(said, dict):
                torn.append(number)
                continue
            unit, record = _audit_of(said)
            if unit is not None:
                _add(copies.setdefault(unit, Copy(unit)), f"line {number}", record)
    for copy in copies.values():  # nobody can tell whose they were
        words = (f"line {number} is cut off or damaged" for number in torn[:_DAMAGED_TOLD])
        copy.damage += [Break(Fault.UNREADABLE, each) for each in words]
        if len(torn) > _DAMAGED_TOLD:
            copy.damage.append(Break(Fault.UNREADABLE, f"{len(torn) - _DAMAGED_TOLD} more lines are too"))
    return list(copies.values())


def _audit_of(said: Mapping[str, Any]) -> tuple[str | None, object]:
    """Whose audit a line is of, and its record; no unit: it is another message."""
    if "topic" in said:
        levels = str(said["topic"]).removeprefix(f"{ROOT}/").split("/")
        if len(levels) != 3 or levels[2] != "audit":  # noqa: PLR2004 - organisation, unit, kind
            return None, None
        message = said.get("payload")
        return f"{levels[0]}/{levels[1]}", message.get("data") if isinstance(message, dict) else None
    if not str(said.get("type")).endswith(".unit.audit.v1"):
        return None, None
    levels = str(said.get("source")).split("/")
    return f"{levels[2]}/{levels[-1]}" if len(levels) > 3 else str(said.get("source")), said.get("data")  # noqa: PLR2004


def _add(copy: Copy, where: str, record: object) -> None:
    if is_record(record):
        assert isinstance(record, dict)  # noqa: S101 - as it just said
        copy.records.append(record)
    else:
        copy.damage.append(Break(Fault.UNREADABLE, f"{where} holds no record"))


def _decoded(text: str | bytes) -> object:
    """What JSON says; None for what is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
