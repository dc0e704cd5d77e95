"""Closes an evidence series: what is held is locked away as it is, with sums, and what nobody holds is removed.

    <footage>/closed/1/     segments/ incidents/ holds/ index.sqlite ... as they were
                            unit.yaml    the configuration of then: `safepoint footage --config` reads the series by it
                            closed.json  who closed it when, and the SHA-256 of each file

Retention never looks into `closed`: what lies there stays until a person removes it. Each step can be done again, so a
power cut in between is continued by the same command.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.durable import put_whole, sync_folder
from agent.footage.store.exports import clear_left_over, read_exports
from agent.footage.store.incident_files import read_incident, sha256_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from agent.footage.store.stretch import Stretch

CLOSED: Final = "closed"
RECORD: Final = "closed.json"
CONFIG: Final = "unit.yaml"
HOLDS: Final = "holds"
_OURS: Final = {RECORD, CONFIG}


@dataclass(frozen=True)
class Removed:
    """What nobody held."""

    files: int
    size_bytes: int


def remove_unheld(footage: Path, held_segments: Collection[str], held: Iterable[Stretch]) -> Removed:
    """Remove each segment and each incident's still and clip that no hold needs, and all exports: they are copies.

    Args:
        footage: The footage folder. Nobody records into it meanwhile.
        held_segments: The names of the segments that holds protect.
        held: What the holds protect.

    Raises:
        OSError: the disk refuses; what was removed so far is.
    """
    files = size_bytes = 0
    for segment in _entries(footage / "segments"):
        if segment.name not in held_segments and segment.is_file():
            size_bytes += segment.stat().st_size
            segment.unlink()
            files += 1
    stretches = list(held)
    for folder in _entries(footage / "incidents"):
        incident = read_incident(folder)
        if incident.stretch is None or not any(incident.stretch.overlaps(each) for each in stretches):
            files += len(_entries(folder))
            size_bytes += incident.size_bytes
            incident.remove()
    clear_left_over(footage)
    for export in read_exports(footage):
        files += sum(path.is_file() for path in (export.path, *export.path.rglob("*")))
        size_bytes += export.size_bytes
        export.remove()
    for folder in (footage / "segments", footage / "incidents"):
        if folder.exists():
            sync_folder(folder)
    return Removed(files, size_bytes)


def lock_away(footage: Path, number: int, config: str, record: dict[str, object]) -> Path:
    """Move what is left into the folder of its series, and write down what it is.

    Args:
        footage: The footage folder.
        number: Of the series.
        config: The text of a configuration by which the series can be read.
        record: What is known of the closing; the sums of all files come to it.

    Raises:
        OSError: the disk refuses; the same call goes on from there.
    """
    closed = footage / CLOSED / str(number)
    closed.mkdir(mode=0o750, parents=True, exist_ok=True)
    # The holds last: as long as anything is not moved yet, it is known what is held.
    for entry in sorted(_entries(footage), key=lambda entry: entry.name == HOLDS):
        if entry.name != CLOSED:
            _move(entry, closed / entry.name)
    put_whole(closed / CONFIG, config.encode(), 0o640)
    files = sorted(path for path in closed.rglob("*") if path.is_file() and path.name not in _OURS)
    sums = {str(path.relative_to(closed)): sha256_of(path) for path in files}
    put_whole(closed / RECORD, (json.dumps({**record, "sha256": sums}, indent=2) + "\n").encode(), 0o640)
    for folder in (closed, closed.parent, footage):
        sync_folder(folder)
    return closed


def is_begun(footage: Path, number: int) -> bool:
    """Whether an earlier try has begun to lock this series away: what nobody held is removed then."""
    return (footage / CLOSED / str(number)).exists()


def is_locked_away(footage: Path, number: int) -> bool:
    """Whether this series was closed to its end."""
    return (footage / CLOSED / str(number) / RECORD).exists()


def _move(entry: Path, target: Path) -> None:
    """Move it, into what an earlier try that broke off has moved already."""
    if target.is_dir() and entry.is_dir():
        for inner in _entries(entry):
            _move(inner, target / inner.name)
        entry.rmdir()
    else:
        entry.rename(target)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
