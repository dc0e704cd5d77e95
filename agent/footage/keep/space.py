"""Keeps room on the disk for the next segment, and keeps nothing for longer than it may be kept."""

from __future__ import annotations

import errno
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import structlog

from agent.footage.complaint import Complaint
from agent.footage.keep.ages import Ages
from agent.footage.keep.exports import Exports, age_s
from agent.footage.keep.forecast import forecast, is_short
from agent.footage.keep.holds import LOOK_EVERY_S, Holds
from agent.footage.keep.retention import DAY_S, MEGABYTE, Retention, Stands, Step, StorageClass, next_step
from agent.footage.keep.shelf import Shelf, moment_of
from agent.footage.store.volume import Refused, Volume, free_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.clock import Clock, Moment
    from agent.footage.keep.shelf import Piece
    from agent.footage.store.exports import Export
    from agent.footage.store.index import FootageIndex
    from agent.helpers.messages import Event

log = structlog.get_logger()

PIECES_A_TURN = 20
"""How many pieces are removed before somebody who wants to place a hold gets his turn: some 10 ms of deleting."""
RATE_SEGMENTS = 360
"""How many of the last segments say how fast footage is written: an hour of the usual ten seconds."""


class HeldOnly(Refused):
    """The disk is full of footage that somebody asked to keep: recording waits until some is released or moved."""

    code: ClassVar[str] = "held-only"


class NoRoom(Refused):
    """The disk is full of what is not footage."""

    code: ClassVar[str] = "disk-full"


class Space:
    """The bounds of all footage of one folder. Safe to use from any thread."""

    def __init__(  # noqa: PLR0913 - its neighbours, named once in the recorder
        self,
        volume: Volume,
        index: FootageIndex,
        retention: Retention,
        *,
        clock: Clock,
        tell: Callable[[Event], None],
        free: Callable[[Path], int] = free_bytes,
        wanted: Callable[[], frozenset[Path]] = frozenset,
    ) -> None:
        """Bounds that are kept from now on.

        Args:
            volume: Where the footage lies.
            index: The table of its segments.
            retention: The bounds.
            clock: Says how old something is.
            tell: Hears of what is wrong.
            free: How much room the disk has.
            wanted: Names the files that an upload waits for: they are not removed under it. May raise OSError.
        """
        self._volume = volume
        self._index = index
        self._retention = retention
        self._clock = clock
        self._free = free
        self._holds = Holds(volume.folder)
        self._shelf = Shelf(volume.folder, index, self._holds)
        self._exports = Exports(volume.folder)
        self._wanted = wanted
        self._using = threading.Lock()
        self._damage = Complaint(tell)
        self._jump = Complaint(tell)
        self._short = Complaint(tell)
        self._stuck = Complaint(tell)
        self._blind = Complaint(tell)
        self._removed: Counter[StorageClass] = Counter()
        self._removed_bytes: Counter[StorageClass] = Counter()
        self._removed_exports = 0

    def make_room(self, needed_bytes: int) -> None:
        """Let a segment of this size fit, between two segments: the oldest rolling footage goes, then incident footage.

        Raises:
            MountMissing: the footage volume is not there.
            HeldOnly: all that is left is held.
            NoRoom: it does not fit although no footage is left.
            OSError, sqlite3.Error: the disk refuses.
        """
        with self._using:
            self._volume.make("segments")
            self._index.settle()
            self._look()
            if next_step(self._stands(), self._retention, needed_bytes) is Step.NOTHING:
                return
            try:
                while not self._make_some_room(needed_bytes):
                    time.sleep(2 * LOOK_EVERY_S)  # whoever waits to place a hold looks for his turn meanwhile
            except TimeoutError as error:
                if self._lacking(needed_bytes):
                    raise
                log.warning("budget_exceeded", error=str(error), effect="what is too much goes before the next segment")

    def expire(self) -> None:
        """Remove what has reached its age, whether something is recorded or not (`agent.footage.keep.upkeep`).

        Raises:
            MountMissing: the footage volume is not there.
            OSError, sqlite3.Error: the disk refuses, or (`TimeoutError`) holds were placed all the time.
        """
        with self._using:
            self._exports.try_stuck_again()
        while not self._expire_some():
            time.sleep(2 * LOOK_EVERY_S)
        with self._using:
            self._tell_of_exports()

    def facts(self) -> dict[str, float | int | str | None]:
        """How footage stands, for `FootageStands`; tells too when the disk is too small for what was promised.

        Raises:
            MountMissing: the footage volume is not there.
            OSError, sqlite3.Error: the disk refuses.
        """
        with self._using:
            self._volume.check()
            stands = self._stands()
            found = forecast(self._index.bytes_per_s(RATE_SEGMENTS), stands, self._retention)
            keep_days = self._retention.keep_s / DAY_S
            if found is not None and is_short(found, self._retention, was_short=self._short.stands):
                self._short.make(
                    "retention-short",
                    f"The disk holds {found.disk_days:.1f} days of footage at the present rate, not the {keep_days:g}"
                    " that are to be kept: a bigger disk or a lower bitrate is needed",
                )
            elif found is not None:
                self._short.withdraw()
            oldest = [piece.name.start.wall for kept in NOT_HELD if (piece := self._index.oldest(kept)) is not None]
            return {
                "oldest": min(oldest).isoformat(timespec="seconds") if oldest else None,
                "keepDays": keep_days,
                "daysKept": None if found is None else round(found.days_kept, 2),
                "keptBy": None if found is None else found.kept_by,
                "daysToFull": None if found is None or found.days_to_full is None else round(found.days_to_full, 2),
                "mbPerDay": None if found is None else round(found.bytes_per_day / MEGABYTE),
                "rollingMb": stands.rolling // MEGABYTE,
                "incidentMb": stands.incident // MEGABYTE,
                "heldMb": stands.held // MEGABYTE,
                "exportsMb": (stands.spare_exports + stands.fresh_exports + stands.wanted_exports) // MEGABYTE,
                "freeMb": stands.free // MEGABYTE,
                "removedRollingMb": self._removed_bytes[StorageClass.ROLLING] // MEGABYTE,
                "removedIncidentMb": self._removed_bytes[StorageClass.INCIDENT] // MEGABYTE,
                "removedPieces": self._removed.total(),
                "removedExports": self._removed_exports,
            }

    def _make_some_room(self, needed_bytes: int) -> bool:
        """Take one turn; True: it fits."""
        with self._holds.deciding():
            self._look()  # again: a hold may have been placed before our turn
            now = self._clock.now()
            ages = self._ages(now)
            for _ in range(PIECES_A_TURN):
                step = next_step(self._stands(), self._retention, needed_bytes)
                match step:
                    case Step.NOTHING:
                        return True
                    case Step.STOP_HELD_ONLY:
                        why = self._shelf.damage or "all footage on the disk is held or on its way out"
                        raise HeldOnly(errno.ENOSPC, f"{why}, and less than {self._reserve} are free")
                    case Step.STOP_FULL:
                        raise NoRoom(
                            errno.ENOSPC, f"less than {self._reserve} are free and no footage is left to remove"
                        )
                    case Step.EASE_INCIDENT:
                        piece = self._oldest(StorageClass.INCIDENT, ages)
                        self._shelf.ease(piece)
                        log.info("incident_footage_eased", piece=piece.path.name, size_bytes=piece.size_bytes)
                    case Step.REMOVE_ROLLING:
                        self._remove(StorageClass.ROLLING, self._oldest(StorageClass.ROLLING, ages), "no room")
                    case Step.REMOVE_EXPORT if (export := self._exports.oldest(ages, now)) is not None:
                        self._remove_export(export, "no room")
                    case Step.REMOVE_INCIDENT:
                        self._remove(StorageClass.INCIDENT, self._oldest(StorageClass.INCIDENT, ages), "no room")
        return False

    def _expire_some(self) -> bool:
        """Take one turn; True: nothing more is due."""
        now = self._clock.now()
        with self._using:
            self._volume.check()
            self._look()
            self._shelf.date_unsaid(now)
            ages = self._ages(now)
            if self._due(ages) is None and self._due_export(ages, now) is None:
                return True
            with self._holds.deciding():
                self._look()
                for _ in range(PIECES_A_TURN):
                    due = self._due(ages)
                    if due is not None:
                        self._remove(*due, "age")
                    elif (export := self._due_export(ages, now)) is not None:
                        self._remove_export(export, "age")
                    else:
                        return True
        return False

    def _due(self, ages: Ages) -> tuple[StorageClass, Piece] | None:
        for kept_for in NOT_HELD:
            limit_s = self._retention.age_limit_s(kept_for)
            piece = self._shelf.oldest(kept_for, ages)
            if piece is not None and limit_s is not None and ages.of(*moment_of(piece)) >= limit_s:
                return kept_for, piece
        return None

    def _remove(self, kept_for: StorageClass, piece: Piece, why: str) -> None:
        self._shelf.remove(piece)
        self._removed[kept_for] += 1
        self._removed_bytes[kept_for] += piece.size_bytes
        log.info(
            "footage_removed",
            piece=piece.path.name,
            kept_for=kept_for.name.lower(),
            why=why,
            size_bytes=piece.size_bytes,
        )

    def _due_export(self, ages: Ages, now: Moment) -> Export | None:
        export = self._exports.oldest(ages, now)
        if export is None or age_s(export, ages, now) < self._retention.export_keep_s:
            return None
        return export

    def _remove_export(self, export: Export, why: str) -> None:
        if self._exports.remove(export):
            self._removed_exports += 1
            log.info("export_removed", name=export.name, why=why, size_bytes=export.size_bytes)

    def _tell_of_exports(self) -> None:
        if self._exports.trouble is None:
            self._stuck.withdraw()
        else:
            self._stuck.make("exports-stuck", f"Exports cannot be removed as they should: {self._exports.trouble}")

    def _oldest(self, kept_for: StorageClass, ages: Ages) -> Piece:
        piece = self._shelf.oldest(kept_for, ages)
        if piece is None:  # bytes without a piece: the table is not to be believed
            msg = f"the footage index counts {kept_for.name.lower()} footage that it cannot name"
            raise OSError(errno.EIO, msg)
        return piece

    def _look(self) -> None:
        wanted = self._wanted_files()
        self._shelf.look(wanted or frozenset())
        self._exports.look(self._clock.now(), None if self._shelf.damage else wanted)
        if self._shelf.damage is None:
            self._damage.withdraw()
        else:
            self._damage.make(
                "holds-damaged", f"All footage counts as held until this is repaired: {self._shelf.damage}"
            )

    def _wanted_files(self) -> frozenset[Path] | None:
        """What uploads wait for; None: nobody knows, so no export goes. Recording waits for no such thing."""
        try:
            wanted = self._wanted()
        except OSError as error:
            self._blind.make("uploads-unreadable", f"No export is removed while nobody knows what is sent: {error}")
            return None
        self._blind.withdraw()
        return wanted

    def _ages(self, now: Moment) -> Ages:
        ages = Ages(self._index.spans(), now)
        if ages.jump_s:
            days = ages.jump_s / DAY_S
            self._jump.make(
                "clock-jumped",
                f"The clock went ahead by {days:.0f} days since the last footage: if it is wrong, correct it within a"
                " day, or older footage is deleted by its age",
            )
        else:
            self._jump.withdraw()
        return ages

    def _stands(self) -> Stands:
        rolling, incident, held = (self._shelf.bytes_of(kept_for) for kept_for in StorageClass)
        exports = self._exports.spare_bytes, self._exports.fresh_bytes, self._exports.wanted_bytes
        return Stands(rolling, incident, held, self._free(self._volume.folder), *exports)

    def _lacking(self, needed_bytes: int) -> bool:
        return self._free(self._volume.folder) < self._retention.reserve_bytes + needed_bytes

    @property
    def _reserve(self) -> str:
        return f"{self._retention.reserve_bytes // MEGABYTE} MB"


NOT_HELD = (StorageClass.ROLLING, StorageClass.INCIDENT)
