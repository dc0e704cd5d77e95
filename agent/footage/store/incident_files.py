"""Where the still and the clip of an incident lie, which footage shows it, and how a file gets there: whole or not."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of a record
from agent.footage.store.segments import boot_of, sync_folder
from agent.footage.store.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""Alert ids come over a socket: one that could name anything but a folder of its own is refused."""

STRETCH = "stretch.json"


@dataclass(frozen=True)
class _Shown:
    """The file that says which footage shows an incident."""

    start: Moment
    end: Moment


_SHOWN = TypeAdapter(_Shown)


@dataclass(frozen=True)
class IncidentFolder:
    """What is kept of one incident beside its segments."""

    path: Path
    stretch: Stretch | None
    """The footage that shows it; None: nobody said, or what was said cannot be read."""
    size_bytes: int

    def remove(self) -> None:
        """Take it away; what says of which time it is goes last, so that a half removed one is still known.

        Raises:
            OSError: the disk refuses.
        """
        for file in sorted(self.path.iterdir(), key=lambda file: file.name == STRETCH):
            file.unlink()
        self.path.rmdir()


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


def expect_incident(footage: Path, alert_id: str, start: Moment, end: Moment) -> None:
    """Protect what may show an incident, from when it is first heard of until its clip says what does.

    Raises:
        ValueError, OSError: as `incident_folder`.
    """
    folder = incident_folder(footage, alert_id)
    if not (folder / STRETCH).exists():
        _say_shown(folder, start, end)


def incident_shown(footage: Path, alert_id: str, start: Moment, end: Moment) -> None:
    """Protect what does show an incident, from the first to the last frame of its clip, and no more.

    Raises:
        ValueError, OSError: as `incident_folder`.
    """
    _say_shown(incident_folder(footage, alert_id), start, end)


def _say_shown(folder: Path, start: Moment, end: Moment) -> None:
    with complete_file(folder / STRETCH) as part:
        part.write_bytes(_SHOWN.dump_json(_Shown(start, end)))


def read_incident(folder: Path) -> IncidentFolder:
    """What lies in one incident's folder.

    Raises:
        OSError: it is gone, or the disk refuses.
    """
    size_bytes = sum(file.stat().st_size for file in folder.iterdir())
    try:
        shown = _SHOWN.validate_json((folder / STRETCH).read_bytes())
    except (FileNotFoundError, ValidationError):
        return IncidentFolder(folder, None, size_bytes)
    start_s, end_s = shown.start.monotonic_s, shown.end.monotonic_s
    return IncidentFolder(folder, Stretch(boot_of(shown.start), start_s, end_s), size_bytes)


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
