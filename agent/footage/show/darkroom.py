"""Makes the still, the strip and the clip of an incident from the footage on the disk, and answers for each."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import av
import structlog

from agent.footage.show import strips
from agent.footage.show.clips import Wish, cut_clip
from agent.footage.show.stills import REACH_S, take_still
from agent.footage.store.incident_files import expect_incident, incident_folder, incident_shown
from agent.footage.store.segments import boot_of
from agent.footage.store.timeline import NoFootage, frames_between
from agent.helpers.messages import MediaMade, MediaMissed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from agent.config.filming import FootageSettings
    from agent.footage.store.index import FootageIndex
    from agent.footage.store.volume import Volume
    from agent.helpers.messages import ClipRequest, StillRequest, StripRequest
    from agent.hw.kit import Packet

log = structlog.get_logger()

MISSED = (NoFootage, ValueError, OSError, sqlite3.Error, av.FFmpegError)
"""What keeps a piece from being made; none of it keeps the recorder from recording."""


class Darkroom:
    """One answer to each request, whatever happens. Its methods may run at the same time in different threads."""

    def __init__(self, index: FootageIndex, volume: Volume, settings: FootageSettings) -> None:
        self._index = index
        self._volume = volume
        self._settings = settings

    def still(self, request: StillRequest) -> MediaMade | MediaMissed:
        """Make the picture of one moment."""
        at = request.at
        try:
            target = self._folder(request.alert_id) / "still.jpg"
            # What may show the incident is protected before anything is made of it.
            first, last = at.later(-self._settings.pre_event_s), at.later(self._settings.clip_cap_s)
            expect_incident(self._volume.folder, request.alert_id, first, last)
            frames = frames_between(self._index, boot_of(at), at.monotonic_s - REACH_S, at.monotonic_s)
            still = take_still(frames, at.monotonic_s, target)
        except MISSED as error:
            log.warning("still_missed", alert_id=request.alert_id, reason=str(error))
            return MediaMissed(request.alert_id, "still", str(error))
        taken = at.later(still.taken_s - at.monotonic_s)
        return MediaMade(request.alert_id, "still", str(still.path), still.sha256, still.size_bytes, taken, taken)

    def strip(self, request: StripRequest) -> MediaMade | MediaMissed:
        """Make the three pictures around one moment, in one."""
        at, boot = request.at, boot_of(request.at)
        try:
            target = self._folder(request.alert_id) / "strip.jpg"
            strip = strips.take_strip(
                lambda moment_s: frames_between(self._index, boot, moment_s - strips.REACH_S, moment_s),
                at.monotonic_s,
                target,
            )
        except MISSED as error:
            log.warning("strip_missed", alert_id=request.alert_id, reason=str(error))
            return MediaMissed(request.alert_id, "strip", str(error))
        if strip.missing:
            log.warning("strip_has_blanks", alert_id=request.alert_id, missing=strip.missing)
        first, last = (at.later(taken_s - at.monotonic_s) for taken_s in (strip.first_s, strip.last_s))
        return MediaMade(request.alert_id, "strip", str(strip.path), strip.sha256, strip.size_bytes, first, last)

    def clip(self, request: ClipRequest) -> MediaMade | MediaMissed:
        """Cut the footage of an interval; a clip that was made of it before is replaced, but never by a shorter one."""
        start, end_s = request.start, request.end.monotonic_s
        try:
            target = self._folder(request.alert_id) / "clip.mp4"
            wish = Wish(start.monotonic_s, end_s, start.wall)
            frames = frames_between(self._index, boot_of(start), start.monotonic_s, end_s)
            clip = cut_clip(no_fewer(frames, frames_of(target)), wish, target)
            first, last = (start.later(at_s - start.monotonic_s) for at_s in (clip.start_s, clip.end_s))
            incident_shown(self._volume.folder, request.alert_id, first, last)
        except MISSED as error:
            log.warning("clip_missed", alert_id=request.alert_id, reason=str(error))
            return MediaMissed(request.alert_id, "clip", str(error))
        if clip.gaps:
            missing_s = sum(gap.end_s - gap.start_s for gap in clip.gaps)
            log.warning("clip_has_gaps", alert_id=request.alert_id, gaps=len(clip.gaps), missing_s=round(missing_s, 3))
        return MediaMade(request.alert_id, "clip", str(clip.path), clip.sha256, clip.size_bytes, first, last)

    def _folder(self, alert_id: str) -> Path:
        """The incident's folder, on the footage volume and nowhere else.

        Raises:
            OSError: the volume is not there, or does not take it.
            ValueError: the id is not safe as a folder's name.
        """
        self._volume.check()
        return incident_folder(self._volume.folder, alert_id)


def frames_of(clip: Path) -> int:
    """How many pictures an earlier clip shows, as its header says; none when there is no clip that can be opened."""
    if not clip.exists():
        return 0
    try:
        with av.open(str(clip)) as container:
            return sum(stream.frames for stream in container.streams.video)
    except av.FFmpegError as error:
        log.warning("earlier_clip_unreadable", path=str(clip), error=str(error), effect="replaced")
        return 0


def no_fewer(frames: Iterable[Packet], than: int) -> Iterator[Packet]:
    """Yield these frames.

    Raises:
        NoFootage: after the last one, when they were fewer: footage that an earlier clip shows is gone.
    """
    count = 0
    for frame in frames:
        count += 1
        yield frame
    if count < than:
        msg = f"the clip made before shows {than} pictures and stays; only {count} of its interval are still stored"
        raise NoFootage(msg)
