"""Where the still and the clip of an incident lie, and how a file gets there: whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.footage.segments import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""Alert ids come over a socket: one that could name anything but a folder of its own is refused."""


def incident_folder(footage: Path, alert_id: str) -> Path:
    """The incident's folder, made when it is not there.

    Raises:
        ValueError: the id is not safe as a file name.
        OSError: the disk does not take it.
    """
    if SAFE_ID.fullmatch(alert_id) is None:
        msg = f"the alert id {alert_id!r} cannot be a folder's name: letters, digits, '.', '_' and '-' only"
        raise ValueError(msg)
    folder = footage / "incidents" / alert_id
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)
    return folder


@contextmanager
def complete_file(target: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; what was written there becomes `target` when the block ends well.

    Raises:
        OSError: the disk does not take it; nothing is left behind.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        fd = os.open(part, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        part.replace(target)
        sync_folder(target.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    """The file's checksum, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
