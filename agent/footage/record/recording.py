"""Writes the stream of frames as segments, and goes on through everything a disk can do."""

from __future__ import annotations

import errno
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent import journal
from agent.footage.complaint import Complaint
from agent.footage.record.tally import Tally
from agent.footage.store.segments import CLOCK_STEP_S, SegmentWriter
from agent.footage.store.volume import Refused
from agent.helpers.messages import Event, Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.clock import Clock
    from agent.footage.keep.space import Space
    from agent.footage.store.index import FootageIndex
    from agent.hw.kit import Packet

log = structlog.get_logger()

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class Pace:
    """How the stream is cut, and what is to be expected of it."""

    bitrate_kbps: int
    segment_s: int
    sync_s: float
    """How much footage a power cut may take: the loss bound. A sync costs an SD card one erase block at worst."""

    @property
    def segment_bytes(self) -> int:
        """Room for one segment: half as much again as the encoder aims at, since it may overshoot."""
        return self.bitrate_kbps * 125 * self.segment_s * 3 // 2


class Recording:
    """The writer of one folder of segments; used from one thread.

    A failing disk is tried again with each key frame, which is each second, because footage can begin nowhere else.
    """

    def __init__(  # noqa: PLR0913 - these are its neighbours, named once in the recorder
        self,
        folder: Path,
        index: FootageIndex,
        space: Space,
        *,
        clock: Clock,
        pace: Pace,
        tell: Callable[[Event], None],
        on_disk: Callable[[float], None],
    ) -> None:
        """Take what is needed.

        Args:
            folder: Where segments lie.
            index: What is told about them.
            space: Makes room before each segment.
            clock: Gives a segment its wall time.
            pace: What is to be expected of the stream.
            tell: Says `Working`, `Trouble` and `TroubleOver` to the daemon.
            on_disk: Told the moment up to which footage can be read from the disk.
        """
        self._folder = folder
        self._index = index
        self._space = space
        self._clock = clock
        self._pace = pace
        self._tell = tell
        self._on_disk = on_disk
        self._tally = Tally()
        self._disk = Complaint(tell)
        self._segment: SegmentWriter | None = None
        self._synced_s = 0.0
        self._disk_asked_s: float | None = None

    def write(self, frame: Packet) -> None:
        """Store one frame; a disk that does not take it is told, never raised."""
        with self._asking_the_disk():
            self._store(frame)

    def rest(self) -> None:
        """No frame came for a moment: make safe what there is. What comes next goes on where the last one ended."""
        with self._asking_the_disk():
            if self._segment is not None:
                self._sync(self._segment)

    def pause(self) -> None:
        """Nothing will come for now: make safe what there is, and let the next key frame begin a segment."""
        with self._asking_the_disk():
            self._end_segment()

    def disk_silent_s(self) -> float:
        """How long the disk has not answered; to be called from another thread, since the writer's waits with it."""
        asked_s = self._disk_asked_s
        return 0.0 if asked_s is None else time.monotonic() - asked_s

    @contextmanager
    def _asking_the_disk(self) -> Iterator[None]:
        self._disk_asked_s = time.monotonic()
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            self._give_up_segment(error)
        finally:
            self._disk_asked_s = None

    def _store(self, frame: Packet) -> None:
        if frame.keyframe and self._is_time_to_cut(frame):
            self._end_segment()
            self._begin_segment(frame)
        if self._segment is None:
            return  # nothing can be shown before a key frame; `Tally` counts by time and misses it
        if frame.taken_s <= self._segment.end_s and self._segment.frames:
            log.warning("frame_out_of_order", taken_s=frame.taken_s, after_s=self._segment.end_s)
            return
        self._segment.write(frame)
        self._tally.wrote(frame)
        self._on_disk(frame.taken_s)
        if frame.taken_s - self._synced_s > self._pace.sync_s - frame.frame_s / 2:
            self._sync(self._segment)

    def _is_time_to_cut(self, frame: Packet) -> bool:
        """A segment has one length, one rate and one wall time."""
        segment = self._segment
        if segment is None or frame.frame_s != segment.name.frame_s:
            return True
        started = segment.started
        length_s = frame.taken_s - started.monotonic_s
        now = self._clock.at(frame.taken_s)
        step_s = (now.wall - started.later(length_s).wall).total_seconds()
        if abs(step_s) > CLOCK_STEP_S or now.quality is not started.quality:
            log.info("clock_set", step_s=round(step_s, 3), before=started.quality, now=now.quality)
            return True
        return length_s > self._pace.segment_s - frame.frame_s / 2

    def _begin_segment(self, first: Packet) -> None:
        self._space.make_room(self._pace.segment_bytes)
        self._segment = SegmentWriter(self._folder, self._clock.at(first.taken_s), round(1 / first.frame_s))
        self._synced_s = first.taken_s
        self._index.opened(self._segment.name)

    def _sync(self, segment: SegmentWriter) -> None:
        segment.sync()
        self._synced_s = segment.end_s
        if self._tally.synced():
            self._disk.withdraw()
            self._tell(Working(self._tally.done, self._tally.lost, journal.standing().lost))

    def _end_segment(self) -> None:
        if self._segment is None:
            return
        self._sync(self._segment)
        segment, self._segment = self._segment, None
        segment.close()
        self._index.ended(segment.name, segment.end_s, segment.frames, segment.size_bytes)

    def _give_up_segment(self, error: OSError | sqlite3.Error) -> None:
        """Leave the segment as it is; the index finds out how far it goes when the disk works again."""
        self._tally.failed()
        self._disk.make(_code_of(error), f"No footage is stored ({error}); it is tried again each second")
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                segment.close()
            except OSError as closing:
                log.warning("segment_close_failed", name=segment.path.name, error=str(closing))


def _code_of(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, Refused):
        return error.code
    if isinstance(error, OSError):
        return "disk-full" if error.errno in FULL else "write-failed"
    return "disk-full" if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL else "write-failed"
