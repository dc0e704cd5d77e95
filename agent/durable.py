"""Small files that a power cut leaves whole: the old one or the new one, never half of either."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def put_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file there; on return it outlives a power cut.

    Args:
        path: Where; what was there before is replaced in one step.
        content: All of it.
        mode: Its permissions, whatever the umask says.

    Raises:
        OSError: what was there before is still there.
    """
    part = path.with_name(f".{path.name}.part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(fd, mode)
        write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    part.replace(path)
    sync_folder(path.parent)


def write_all(fd: int, content: bytes) -> None:
    """Write all of it, also where a call takes only a part.

    Raises:
        OSError: not all of it was written.
    """
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder outlive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
