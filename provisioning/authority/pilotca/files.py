"""Files that somebody names, read with a bound; and the lock that one at a time holds."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pilotca.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES: Final = 16_384
"""A request has 500 bytes, a certificate with those above it 2,000."""


def read_bounded(path: Path) -> bytes:
    """The content of a small file.

    Raises:
        Refused: it cannot be read, or is none of ours.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise Refused(msg) from error
    if len(content) > MOST_BYTES:
        msg = f"{path} is larger than {MOST_BYTES} bytes: it is neither a request nor a certificate"
        raise Refused(msg)
    return content


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one who works in this folder.

    Raises:
        Refused: somebody else does, or there is no such folder.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        msg = f"{folder} cannot be opened: {error.strerror}"
        raise Refused(msg) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"somebody else works in {folder} at this moment: wait until that has ended"
            raise Refused(msg) from error
        yield
    finally:
        os.close(fd)
