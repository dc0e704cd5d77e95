"""The register: one line for each thing that was done, only ever added to; all that the authority knows.

A line is on the disk before what it tells of leaves the machine. Each carries the hash of the one before, so a line
that was changed or taken out shows. What a power cut left of a line was never acted upon, and is cut off.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from agent.durable import sync_folder
from pilotca.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME: Final = "register.jsonl"
MOST_BYTES: Final = 256 * 1024 * 1024
"""100,000 certificates; a pilot has hundreds."""
_FIRST: Final = "0" * 64


class Register:
    """The register of a folder, for the one who holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        """Read it.

        Raises:
            Refused: it is not as it was written.
        """
        self._path = folder / NAME
        self.lines: list[Mapping[str, Any]] = []
        """What was done, in order."""
        self._last = _FIRST
        self._size = 0
        try:
            if self._path.stat().st_size > MOST_BYTES:
                msg = f"{self._path} is larger than {MOST_BYTES} bytes: it is no register of ours"
                raise Refused(msg)
            content = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            msg = f"{self._path} cannot be read: {error.strerror}"
            raise Refused(msg) from error
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            self.lines.append(self._read(number, line))
            self._last = hashlib.sha256(line).hexdigest()
            self._size += len(line) + 1

    def _read(self, number: int, line: bytes) -> Mapping[str, Any]:
        try:
            said = json.loads(line)
            fits = said["before"] == self._last and datetime.fromisoformat(said["at"]).tzinfo is not None
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            msg = (
                f"{self._path}:{number}: the register was changed or damaged here: take it from a copy, and find out "
                "who did it, before anything more is signed"
            )
            raise Refused(msg)
        read: Mapping[str, Any] = said
        return read

    def of(self, what: str) -> Iterator[Mapping[str, Any]]:
        """The lines of one sort."""
        return (line for line in self.lines if line["what"] == what)

    def check_clock(self, now: datetime) -> None:
        """Refuse to work by a clock that goes wrong: dates would be.

        Raises:
            Refused: the register has a later entry.
        """
        if self.lines and now < datetime.fromisoformat(self.lines[-1]["at"]):
            msg = (
                f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, but the register has an entry of "
                f"{self.lines[-1]['at']}: set the clock"
            )
            raise Refused(msg)

    def add(self, now: datetime, what: str, **facts: object) -> None:
        """Write a line; on return it outlives a power cut.

        Raises:
            OSError: it is not written.
        """
        said = {
            "at": now.isoformat(timespec="milliseconds"),
            "who": _who(),
            "what": what,
            **facts,
            "before": self._last,
        }
        line = json.dumps(said, ensure_ascii=False).encode()
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.ftruncate(fd, self._size)  # what a power cut left of a line
            os.lseek(fd, self._size, os.SEEK_SET)
            view = memoryview(line + b"\n")
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(self._path.parent)
        self.lines.append(said)
        self._last = hashlib.sha256(line).hexdigest()
        self._size += len(line) + 1


def now() -> datetime:
    """By the machine's clock, to the millisecond that the register keeps."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _who() -> str:
    """The account that did it: behind sudo, the one who called sudo."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind[:64]} as {account}" if account == "root" and behind else account
