"""The file that is sent: one and the same from its first byte to its last, or none."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, Final

from agent.uplink.media.web.errors import NeverWorks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HASHED_AT_ONCE: Final = 1024 * 1024


@dataclass(frozen=True)
class Print:
    """By what it is known that a file is still the same: a clip that grew is another one."""

    inode: int
    modified_ns: int
    size_bytes: int


@dataclass(frozen=True)
class Source:
    """An open file. It stays what it is, even when its name is given to a longer clip meanwhile."""

    file: BinaryIO
    print: Print

    def sha256(self, check: Callable[[], None]) -> str:
        """Its checksum; `check` is called now and then, and may raise."""
        digest = hashlib.sha256()
        self.file.seek(0)
        while data := self.file.read(HASHED_AT_ONCE):
            check()
            digest.update(data)
        return digest.hexdigest()

    def digest(self, start: int, size: int) -> bytes:
        """The SHA-256 of a part of it."""
        digest = hashlib.sha256()
        self.file.seek(start)
        while size > 0 and (data := self.file.read(min(size, HASHED_AT_ONCE))):
            digest.update(data)
            size -= len(data)
        return digest.digest()


@contextmanager
def opened(path: Path, below: Path) -> Iterator[Source]:
    """Open a file of the footage folder.

    Raises:
        NeverWorks: it is not there, no file, or not below that folder, whatever links lead out of it.
    """
    try:
        real, home = path.resolve(strict=True), below.resolve(strict=True)
        if not real.is_relative_to(home):
            msg = f"{path.name} is not below the footage folder"
            raise NeverWorks(msg)
        fd = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe must not hang it
        with os.fdopen(fd, "rb") as file:
            stat = os.fstat(file.fileno())
            if not S_ISREG(stat.st_mode):
                msg = f"{path.name} is no file"
                raise NeverWorks(msg)
            yield Source(file, Print(stat.st_ino, stat.st_mtime_ns, stat.st_size))
    except FileNotFoundError as error:
        msg = f"{path.name} is not on the unit any more"
        raise NeverWorks(msg) from error
