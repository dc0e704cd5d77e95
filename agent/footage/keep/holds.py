"""Holds: what a force or the council asked to be kept, until somebody releases it.

The files are the truth: one JSON a hold below `<footage>/holds/`, safe on the disk before `place` returns. No index and
no clock can undo one. A file that cannot be read is never passed over, because nobody knows what it protects.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agent.footage.store.incident_files import complete_file
from agent.footage.store.segments import sync_folder
from agent.footage.store.stretch import Stretch  # noqa: TC001 - pydantic reads the types of a hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REF_CHARACTERS = 64
"""The longest reference: a force's crime number has about 15 characters, an email's subject would fit."""
WAIT_S = 2.0
"""How long `deciding` waits for its turn. Whoever removes footage decides in turns of a fraction of this."""
LOOK_EVERY_S = 0.002
"""How often it looks meanwhile: flock(2) has no wait with an end, and whoever asks last may come first."""


class HoldExists(ValueError):
    """There is a hold of this reference: release it first, or say another reference."""


class NoSuchHold(LookupError):
    """No hold has this reference."""


class HoldsDamaged(Exception):
    """Holds that cannot be read: until they are repaired or taken away by a person, all footage counts as held."""

    def __init__(self, readable: list[Hold], damaged: dict[Path, str]) -> None:
        self.readable = readable
        """The holds that can be read."""
        self.damaged = damaged
        """The files that cannot, with what is wrong."""
        names = ", ".join(f"{file.name} ({wrong})" for file, wrong in damaged.items())
        super().__init__(f"holds that cannot be read: {names}")


@dataclass(frozen=True)
class Hold:
    """One reference and what it protects."""

    ref: str
    """The force's or the council's reference: any text of up to 64 characters."""
    reason: str
    by: str
    """Who placed it."""
    made: datetime
    start: datetime
    end: datetime
    """As asked for."""
    stretches: tuple[Stretch, ...]
    """What it protects: each segment that shows any of it."""

    def __post_init__(self) -> None:
        """Refuse what could not be kept as it was meant.

        Raises:
            ValueError: a reference that is empty or too long, text that is no UTF-8, a time without a zone, or an end
                before its start.
        """
        if not 0 < len(self.ref) <= REF_CHARACTERS:
            msg = f"a hold's reference has 1 to {REF_CHARACTERS} characters, not {len(self.ref)}"
            raise ValueError(msg)
        try:
            f"{self.ref}{self.reason}{self.by}".encode()
        except UnicodeEncodeError:
            msg = "a hold's reference, reason and placer are UTF-8 text"
            raise ValueError(msg) from None
        if any(moment.tzinfo is None for moment in (self.made, self.start, self.end)):
            msg = "a hold's times need a time zone"
            raise ValueError(msg)
        if self.end < self.start:
            msg = "a hold ends before it starts"
            raise ValueError(msg)
        if not all(
            math.isfinite(s.start_s) and math.isfinite(s.end_s) and s.start_s <= s.end_s for s in self.stretches
        ):
            msg = "a hold's stretch ends before it starts"
            raise ValueError(msg)


@dataclass(frozen=True)
class Released:
    """The record of a hold that was released."""

    hold: Hold
    by: str
    reason: str
    at: datetime


_HOLD = TypeAdapter(Hold)
_RELEASED = TypeAdapter(Released)


class Holds:
    """The holds of one footage folder. Safe to use from any thread and from several processes."""

    def __init__(self, footage: Path) -> None:
        self._footage = footage
        self._folder = footage / "holds"
        self._mine = threading.RLock()
        self._depth = 0

    def all(self) -> list[Hold]:
        """The holds that are placed and not released, in the order of their placing.

        Raises:
            HoldsDamaged: some cannot be read; it names them and carries the others.
            OSError: the folder cannot be read: nobody knows what is held.
        """
        holds, damaged = [], {}
        for file in self._files():
            try:
                holds.append(_HOLD.validate_json(file.read_bytes()))
            except FileNotFoundError:
                continue  # released since the folder was listed
            except ValidationError as error:
                damaged[file] = f"not a hold: {error.errors(include_url=False)[0]['msg']}"
            except OSError as error:
                damaged[file] = error.strerror or str(error)
        holds.sort(key=lambda hold: (hold.made, hold.ref))
        if damaged:
            raise HoldsDamaged(holds, damaged)
        return holds

    def place(self, hold: Hold) -> None:
        """Keep what this hold protects, from before this returns.

        Raises:
            HoldExists: its reference is in use.
            OSError: the disk does not take it, or (`TimeoutError`) footage was being removed all the time.
        """
        with self.deciding():
            if any(one.ref == hold.ref for one in self._readable()) or (file := self._file(hold.ref)).exists():
                msg = f"there is already a hold with the reference {hold.ref!r}"
                raise HoldExists(msg)
            self._make(self._folder)
            self._write(file, _HOLD.dump_json(hold, indent=2))

    def release(self, ref: str, by: str, reason: str, at: datetime) -> Hold:
        """End a hold; what it protected may go by the usual rules from now on. A record of both stays.

        Raises:
            NoSuchHold: there is none.
            OSError: the disk does not take it, or (`TimeoutError`) footage was being removed all the time.
        """
        with self.deciding():
            hold = next((one for one in self._readable() if one.ref == ref), None)
            if hold is None:
                msg = f"there is no hold with the reference {ref!r}"
                raise NoSuchHold(msg)
            file, record = self._file(ref), self._record(ref, at)
            self._make(record.parent)
            # The record first: a power cut between the two leaves the hold in place, and a second try ends it.
            self._write(record, _RELEASED.dump_json(Released(hold, by, reason, at), indent=2))
            file.unlink()
            sync_folder(self._folder)
        return hold

    def was_released(self, ref: str, at: datetime) -> bool:
        """Whether a hold of this reference was released with this moment."""
        return self._record(ref, at).exists()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Nobody else places, releases or removes anything meanwhile; may be entered again by the same thread.

        Raises:
            OSError: the disk does not take a lock, or (`TimeoutError`) others were at it for 2 s.
        """
        if not self._mine.acquire(timeout=WAIT_S):
            raise TimeoutError(_BUSY)
        try:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield
                else:
                    with self._locked():
                        yield
            finally:
                self._depth -= 1
        finally:
            self._mine.release()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # The folder itself is locked: a full disk has no room for a lock file, and a read-only one takes none.
        fd = os.open(self._footage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            deadline_s = time.monotonic() + WAIT_S
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() > deadline_s:
                    raise TimeoutError(_BUSY)
                time.sleep(LOOK_EVERY_S)
            yield
        finally:
            os.close(fd)  # which frees it, as the end of the process does

    def _files(self) -> list[Path]:
        try:
            return sorted(file for file in self._folder.iterdir() if _is_hold(file.name))
        except FileNotFoundError:
            return []

    def _readable(self) -> list[Hold]:
        try:
            return self.all()
        except HoldsDamaged as damage:
            return damage.readable

    def _file(self, ref: str) -> Path:
        """Where the hold of this reference lies: readable as far as the reference is a file name, and told apart."""
        plain = re.sub(r"[^A-Za-z0-9-]+", "-", ref).strip("-")
        return self._folder / f"{plain}.{hashlib.sha256(ref.encode()).hexdigest()[:12]}.json".lstrip(".")

    def _record(self, ref: str, at: datetime) -> Path:
        """Where the record of its release lies."""
        return self._folder / "released" / f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{self._file(ref).name}"

    def _write(self, file: Path, data: bytes) -> None:
        with complete_file(file) as part, part.open("wb") as out:
            out.write(data)
            self._give_to_owner(out.fileno())

    def _make(self, folder: Path) -> None:
        """Make this folder in the one above it, which must be there: a lost disk gets none on the card below."""
        try:
            folder.mkdir(mode=0o750)
        except FileExistsError:
            return
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._give_to_owner(fd)
        finally:
            os.close(fd)
        sync_folder(folder.parent)

    def _give_to_owner(self, fd: int) -> None:
        """What root places on the command line must be readable to the unit, or it would count as damaged."""
        if os.geteuid() == 0:
            owner = self._footage.stat()
            os.fchown(fd, owner.st_uid, owner.st_gid)


_BUSY = "footage was being held, released or removed by another process all the time: try again"


def _is_hold(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")
