"""All pieces of footage by storage class: segments, and what incidents keep beside them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.footage.keep.holds import HoldsDamaged
from agent.footage.keep.retention import StorageClass
from agent.footage.store.incident_files import IncidentFolder, incident_shown, read_incident
from agent.footage.store.index import FootageIndex, Segment

if TYPE_CHECKING:
    from pathlib import Path

    from agent.clock import Moment
    from agent.footage.keep.ages import Ages
    from agent.footage.keep.holds import Holds
    from agent.footage.store.stretch import Stretch

log = structlog.get_logger()

Piece = Segment | IncidentFolder


JUST_CHANGED_NS = 1_000_000_000
"""A folder that changed so lately may change again in the same tick of the file system: it is read again."""


@dataclass(frozen=True)
class _Seen:
    changed_ns: int
    settled: bool
    folder: IncidentFolder


class Shelf:
    """What there is and what protects it, as the files say it. Used by one thread at a time."""

    def __init__(self, footage: Path, index: FootageIndex, holds: Holds) -> None:
        self._incidents = footage / "incidents"
        self._footage = footage
        self._index = index
        self._holds = holds
        self._seen: dict[str, _Seen] = {}
        self._held: frozenset[Stretch] = frozenset()
        self._wanted: frozenset[Path] = frozenset()
        self._folders: dict[StorageClass, list[IncidentFolder]] = {kept_for: [] for kept_for in StorageClass}
        self._shown: frozenset[Stretch] = frozenset()
        self._eased: set[Path] = set()
        self._unsaid: set[Path] = set()
        self.damage: str | None = None
        """Why nobody knows what is held, in which case everything is; None: all holds can be read."""

    def look(self, wanted: frozenset[Path] = frozenset()) -> None:
        """Read again what is held and what incidents there are. What did not change costs one look each.

        Args:
            wanted: Files that an upload waits for: the media of their incidents count as held meanwhile.

        Raises:
            OSError: the disk cannot be read.
        """
        self.damage = None
        try:
            holds = self._holds.all()
        except HoldsDamaged as damaged:
            holds, self.damage = damaged.readable, str(damaged)
        except OSError as error:
            holds, self.damage = [], f"the holds cannot be read ({error.strerror})"
        held = frozenset(stretch for hold in holds for stretch in hold.stretches)
        if self._look_at_incidents() or (held, wanted) != (self._held, self._wanted):
            self._held, self._wanted = held, wanted
            self._sort_folders()
        self._index.protect({StorageClass.HELD: self._held, StorageClass.INCIDENT: self._shown})

    def bytes_of(self, kept_for: StorageClass) -> int:
        """What all pieces of this class hold; when nobody knows what is held, all of them are."""
        if self.damage is not None:
            return self._all_bytes() if kept_for is StorageClass.HELD else 0
        return self._index.bytes_of(kept_for) + sum(folder.size_bytes for folder in self._folders[kept_for])

    def oldest(self, kept_for: StorageClass, ages: Ages) -> Piece | None:
        """The piece of this class that was recorded first; when nobody knows what is held, there is none but held."""
        if self.damage is not None:
            return None
        pieces = [*self._folders[kept_for], self._index.oldest(kept_for)]
        return min(
            (piece for piece in pieces if piece is not None), key=lambda one: ages.place(*moment_of(one)), default=None
        )

    def ease(self, piece: Piece) -> None:
        """It is rolling from now on."""
        if isinstance(piece, Segment):
            self._index.ease(piece)
        else:
            self._eased.add(piece.path)
            self._sort_folders()

    def remove(self, piece: Piece) -> None:
        """Take it away, the file first: killed in between, the table agrees with the files at the next start.

        Raises:
            OSError, sqlite3.Error: the disk refuses.
        """
        if isinstance(piece, Segment):
            piece.path.unlink(missing_ok=True)
            self._index.forget(piece)
        else:
            piece.remove()
            self._seen.pop(piece.path.name, None)
            self._eased.discard(piece.path)
            self._sort_folders()

    def date_unsaid(self, now: Moment) -> None:
        """Let incidents of which nobody can say when they were be of now: they are to go at some age like all others.

        Only those that were so at the last call too: the file may be about to be written.

        Raises:
            OSError: the disk refuses.
        """
        unsaid = {seen.folder.path for seen in self._seen.values() if seen.folder.stretch is None}
        for path in unsaid & self._unsaid:
            log.warning("incident_without_time", alert_id=path.name, effect="its media are kept as if made now")
            incident_shown(self._footage, path.name, now, now)
        self._unsaid = unsaid

    def _look_at_incidents(self) -> bool:
        """Read the folders that changed; returns whether any did."""
        there: dict[str, int] = {}
        try:
            with os.scandir(self._incidents) as entries:
                there = {
                    entry.name: entry.stat().st_mtime_ns for entry in entries if entry.is_dir(follow_symlinks=False)
                }
        except FileNotFoundError:
            pass  # no incident yet
        gone = self._seen.keys() - there.keys()
        for name in gone:
            del self._seen[name]
        read = False
        for name, changed_ns in there.items():
            seen = self._seen.get(name)
            if seen is None or seen.changed_ns != changed_ns or not seen.settled:
                settled = abs(time.time_ns() - changed_ns) > JUST_CHANGED_NS
                self._seen[name] = _Seen(changed_ns, settled, read_incident(self._incidents / name))
                read = True
        return read or bool(gone)

    def _sort_folders(self) -> None:
        self._folders = {kept_for: [] for kept_for in StorageClass}
        for seen in self._seen.values():
            self._folders[self._class_of(seen.folder)].append(seen.folder)
        self._shown = frozenset(seen.folder.stretch for seen in self._seen.values() if seen.folder.stretch is not None)

    def _class_of(self, folder: IncidentFolder) -> StorageClass:
        if folder.stretch is not None and any(folder.stretch.overlaps(held) for held in self._held):
            return StorageClass.HELD
        if any(folder.path in file.parents for file in self._wanted):
            return StorageClass.HELD
        return StorageClass.ROLLING if folder.path in self._eased else StorageClass.INCIDENT

    def _all_bytes(self) -> int:
        segments = sum(self._index.bytes_of(kept_for) for kept_for in StorageClass)
        return segments + sum(seen.folder.size_bytes for seen in self._seen.values())


def moment_of(piece: Piece) -> tuple[str, float]:
    """The boot and the moment in it of which a piece is the last to be needed: the end of what it shows."""
    if isinstance(piece, Segment):
        return piece.name.start.boot_id, piece.end_s
    return ("", 0.0) if piece.stretch is None else (piece.stretch.boot, piece.stretch.end_s)
