"""Which exports may go, and how much room they take.

An export is a copy that somebody asked for, so it is worth more than rolling footage and less than the only picture of
an incident. It goes at its age (`footage.export_keep_days`), or earlier for want of room, the oldest first. One that is
being written, or that an upload waits for, stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from agent.clock import ClockQuality
from agent.footage.store.exports import EXPORTS, bytes_on_their_way, clear_left_over, read_exports
from agent.footage.store.segments import boot_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from agent.clock import Moment
    from agent.footage.keep.ages import Ages
    from agent.footage.store.exports import Export

log = structlog.get_logger()

FRESH_S: Final = 3600.0
"""Somebody who has just made an export is about to fetch it: for an hour incident footage goes before it."""


class Exports:
    """All exports of a footage folder at one look. Used by one thread at a time."""

    def __init__(self, footage: Path) -> None:
        self._footage = footage
        self._spare: list[Export] = []
        self._fresh: list[Export] = []
        self.wanted_bytes = 0
        """What stays now: being written, waited for by an upload, or not to be removed."""
        self._stuck: set[Path] = set()
        self.trouble: str | None = None
        """Why exports could not be looked at, or removed; they are left alone then, and footage is recorded on."""

    @property
    def spare_bytes(self) -> int:
        """What goes before incident footage does."""
        return sum(export.size_bytes for export in self._spare)

    @property
    def fresh_bytes(self) -> int:
        """What goes only when no incident footage is left."""
        return sum(export.size_bytes for export in self._fresh)

    def look(self, now: Moment, wanted: Collection[Path] | None) -> None:
        """Look what there is, and clear what killed processes left.

        Args:
            now: The present.
            wanted: Files and folders that stay; None: nobody knows, so all do.
        """
        self._spare, self._fresh, self.wanted_bytes = [], [], 0
        if not self._stuck:
            self.trouble = None
        try:
            for name in clear_left_over(self._footage):
                log.warning("export_left_over_cleared", name=name)
            self.wanted_bytes = bytes_on_their_way(self._footage)
            found = read_exports(self._footage)
        except OSError as error:
            self.trouble = f"{self._footage / EXPORTS}: {error.strerror or error}"
            return
        for export in found:
            if wanted is None or export.path in self._stuck or _is_wanted(export, wanted):
                self.wanted_bytes += export.size_bytes
            elif is_fresh(export, now):
                self._fresh.append(export)
            else:
                self._spare.append(export)

    def try_stuck_again(self) -> None:
        """Whoever had to repair something may have done it."""
        self._stuck.clear()

    def oldest(self, ages: Ages, now: Moment) -> Export | None:
        """The one that goes next."""
        return max(self._spare or self._fresh, key=lambda export: age_s(export, ages, now), default=None)

    def remove(self, export: Export) -> bool:
        """Take it away; returns whether it went. One that cannot be removed stays, and stops nothing else."""
        for of in (self._spare, self._fresh):
            if export in of:
                of.remove(export)
        try:
            export.remove()
        except OSError as error:
            self._stuck.add(export.path)
            self.wanted_bytes += export.size_bytes
            self.trouble = f"{export.path}: {error.strerror or error}"
            return False
        return True


def is_fresh(export: Export, now: Moment) -> bool:
    """Whether it was made within the last hour, as far as anybody can rule it out.

    By the monotonic clock, so no wrong wall time matters: one of an earlier boot may be fresh for an hour from boot.
    """
    if export.made is None:
        return now.wall.timestamp() - export.changed_s < FRESH_S
    made_s = export.made.monotonic_s if export.made.boot_id == now.boot_id else 0.0
    return now.monotonic_s - made_s < FRESH_S


def age_s(export: Export, ages: Ages, now: Moment) -> float:
    """How old it is, at least: as footage of its time (`agent.footage.keep.ages`), and no more than both clocks say."""
    synced = now.quality is ClockQuality.SYNCED
    made = export.made
    if made is None:  # not ours: its file system knows a wall time, which is as good as the present clock
        return max(0.0, now.wall.timestamp() - export.changed_s) if synced else 0.0
    age = ages.of(boot_of(made), made.monotonic_s)
    if made.boot_id != now.boot_id and synced and made.quality is ClockQuality.SYNCED:
        age = min(age, max(0.0, (now.wall - made.wall).total_seconds()))
    return age


def _is_wanted(export: Export, wanted: Collection[Path]) -> bool:
    return any(path == export.path or export.path in path.parents for path in wanted)
