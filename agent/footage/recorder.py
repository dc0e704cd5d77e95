"""The job of the recorder process: camera -> queue -> segments, with stills and clips made beside it."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import av
import structlog

from agent.clock import Clock, Moment, SystemClock
from agent.footage.clips import Wish, cut_clip
from agent.footage.complaint import Complaint
from agent.footage.feed import CameraFeed
from agent.footage.incident_files import expect_incident, incident_folder, incident_shown
from agent.footage.index import FootageIndex
from agent.footage.media_desk import MediaDesk
from agent.footage.recording import Pace, Recording
from agent.footage.retention import Retention
from agent.footage.segments import boot_of
from agent.footage.space import Space
from agent.footage.stills import REACH_S, take_still
from agent.footage.timeline import NoFootage, frames_between
from agent.footage.upkeep import Upkeep
from agent.footage.volume import Refused, volume_of
from agent.helpers.messages import ClipRequest, MediaMade, MediaMissed, StillRequest
from agent.hw.kit import load_kit

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from agent.config.settings import CameraSettings, Config
    from agent.helpers.channel import Channel
    from agent.helpers.messages import Event, Request
    from agent.hw.kit import BurnIn, Camera, Picture

    OpenCamera = Callable[[CameraSettings, BurnIn], Camera]

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
"""How often the threads look whether they are still wanted, and a silent camera's segment is made safe."""


class Recorder:
    """`agent.helpers.channel.Job` of the recorder process."""

    def __init__(self, open_camera: OpenCamera | None = None, clock: Clock | None = None) -> None:
        """Take a camera and a clock; None takes those of the configured kit and of the machine."""
        self._open_camera = open_camera
        self._clock = clock or SystemClock()

    def run(self, config: Config, channel: Channel) -> None:
        """Record until the channel closes. A lost camera or disk is told and tried again; it ends nothing."""
        open_camera = self._open_camera or load_kit(config.hardware.kit, config.hardware.options).camera
        index = _open_index(config, channel)
        if index is None:
            return
        with closing(index):
            _Work(config, channel, open_camera, self._clock, index).run()


def _burn_nothing(_picture: Picture, _taken_s: float) -> None:
    pass


def _open_index(config: Config, channel: Channel) -> FootageIndex | None:
    """The index, as soon as there is a disk to keep it; None when the daemon ends before that."""
    disk = Complaint(channel.send)
    folder = config.footage_folder
    while not channel.closed.is_set():
        try:
            segments = volume_of(config).make("segments")
            index = FootageIndex(folder / "index.sqlite", segments)
        except (OSError, sqlite3.Error) as error:
            code = error.code if isinstance(error, Refused) else "write-failed"
            disk.make(code, f"The footage folder {folder} cannot be used ({error}); it is tried again")
            channel.closed.wait(LOOK_EVERY_S)
        else:
            disk.withdraw()
            return index
    return None


class _Work:
    """One run of the recorder: its parts, their threads, and their end."""

    def __init__(
        self, config: Config, channel: Channel, open_camera: OpenCamera, clock: Clock, index: FootageIndex
    ) -> None:
        self._config = config
        self._channel = channel
        self._clock = clock
        self._index = index
        self._ending = threading.Event()
        folder, footage, camera = config.footage_folder / "segments", config.footage, config.camera
        self._stills = MediaDesk(self._make_still, channel.send)
        self._clips = MediaDesk(self._make_clip, channel.send)
        self._feed = CameraFeed(lambda: open_camera(camera, _burn_nothing), camera.fps, channel.send)
        self._volume = volume_of(config)
        self._space = Space(self._volume, index, Retention.of(footage), clock=clock, tell=channel.send)
        self._upkeep = Upkeep(self._space, channel.send)
        self._recording = Recording(
            folder,
            index,
            self._space,
            clock=clock,
            pace=Pace(camera.bitrate_kbps, footage.segment_s, footage.sync_s),
            tell=channel.send,
            on_disk=self._footage_reached,
        )

    def run(self) -> None:
        """Work until the channel closes or a thread fails, whose exception is then raised here."""
        with ThreadPoolExecutor(5, thread_name_prefix="recorder") as pool:
            # the camera is the last to begin: a thread that cannot start leaves nothing behind to stop
            upkeep = partial(self._upkeep.work, self._ending)
            loops = (self._record, self._stills.work, self._clips.work, upkeep, self._feed.film)
            threads: list[Future[None]] = [pool.submit(loop) for loop in loops]
            try:
                while not self._channel.closed.is_set() and not any(thread.done() for thread in threads):
                    self._take(self._channel.request(LOOK_EVERY_S))
            finally:
                self._feed.close()
                self._stills.close()
                self._clips.close()
                self._ending.set()
        for thread in threads:
            thread.result()

    def _take(self, request: Request | None) -> None:
        match request:
            case StillRequest():
                self._stills.order(request.alert_id, self._ready_s(request.at), request)
            case ClipRequest():
                self._clips.order(request.alert_id, self._ready_s(request.end), request)

    def _ready_s(self, until: Moment) -> float:
        """When footage up to this moment can be on the disk, on the monotonic clock; that of another boot is."""
        return until.monotonic_s if until.boot_id == self._clock.now().boot_id else 0.0

    def _record(self) -> None:
        while not self._ending.is_set():
            frame = self._feed.next(LOOK_EVERY_S)
            if frame is None:
                self._recording.pause()
            else:
                self._recording.write(frame)
        while (frame := self._feed.next(0)) is not None:  # taken before the end: it belongs on the disk
            self._recording.write(frame)
        self._recording.pause()

    def _footage_reached(self, moment_s: float) -> None:
        self._stills.footage_reached(moment_s)
        self._clips.footage_reached(moment_s)

    def _make_still(self, request: StillRequest) -> Event:
        at = request.at
        try:
            self._volume.check()
            target = incident_folder(self._config.footage_folder, request.alert_id) / "still.jpg"
            # What may show the incident is protected before anything else is made of it.
            expect_incident(
                self._config.footage_folder,
                request.alert_id,
                at.later(-self._config.footage.pre_event_s),
                at.later(self._config.footage.clip_cap_s),
            )
            frames = frames_between(self._index, boot_of(at), at.monotonic_s - REACH_S, at.monotonic_s)
            still = take_still(frames, at.monotonic_s, target)
        except (NoFootage, ValueError, OSError, sqlite3.Error, av.FFmpegError) as error:
            log.warning("still_missed", alert_id=request.alert_id, reason=str(error))
            return MediaMissed(request.alert_id, "still", str(error))
        taken = at.later(still.taken_s - at.monotonic_s)
        return MediaMade(request.alert_id, "still", str(still.path), still.sha256, still.size_bytes, taken, taken)

    def _make_clip(self, request: ClipRequest) -> Event:
        start, end_s = request.start, request.end.monotonic_s
        try:
            self._volume.check()
            target = incident_folder(self._config.footage_folder, request.alert_id) / "clip.mp4"
            wish = Wish(start.monotonic_s, end_s, start.wall)
            frames = frames_between(self._index, boot_of(start), start.monotonic_s, end_s)
            clip = cut_clip(frames, wish, target)
            first, last = (start.later(at_s - start.monotonic_s) for at_s in (clip.start_s, clip.end_s))
            incident_shown(self._config.footage_folder, request.alert_id, first, last)
        except (NoFootage, ValueError, OSError, sqlite3.Error, av.FFmpegError) as error:
            log.warning("clip_missed", alert_id=request.alert_id, reason=str(error))
            return MediaMissed(request.alert_id, "clip", str(error))
        if clip.gaps:
            missing_s = sum(gap.end_s - gap.start_s for gap in clip.gaps)
            log.warning("clip_has_gaps", alert_id=request.alert_id, gaps=len(clip.gaps), missing_s=round(missing_s, 3))
        return MediaMade(request.alert_id, "clip", str(clip.path), clip.sha256, clip.size_bytes, first, last)
