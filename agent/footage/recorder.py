"""The job of the recorder process: camera -> queue -> segments, with stills, strips and clips made beside it."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from agent.clock import Clock, Moment, SystemClock
from agent.footage.burn.overlay import Overlay
from agent.footage.complaint import Complaint
from agent.footage.keep.retention import Retention
from agent.footage.keep.space import Space
from agent.footage.keep.upkeep import Upkeep
from agent.footage.orders import Orders
from agent.footage.record.feed import QUEUE_S, CameraFeed
from agent.footage.record.recording import Pace, Recording
from agent.footage.show.darkroom import Darkroom
from agent.footage.show.media_desk import MediaDesk
from agent.footage.show.strips import APART_S
from agent.footage.store.index import FootageIndex
from agent.footage.store.volume import Refused, volume_of
from agent.footage.tamper.lookout import Lookout
from agent.helpers.messages import (
    ClipOrder,
    ClipRequest,
    HoldOrder,
    ReleaseOrder,
    StillOrder,
    StillRequest,
    StripRequest,
)
from agent.hw.kit import Rate, load_kit
from agent.uplink.media.queue import waited_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from agent.config.filming import CameraSettings
    from agent.config.settings import Config
    from agent.helpers.channel import Channel
    from agent.helpers.messages import Request
    from agent.hw.kit import BurnIn, Camera

    OpenCamera = Callable[[CameraSettings, BurnIn], Camera]

LOOK_EVERY_S = 1.0
"""How often the writer looks whether it is still wanted, and a silent camera's segment is made safe."""
CAMERA_GONE_LOOKS = 3
"""So often without a frame, and the next one is of a camera that was opened again, which begins with a key frame: one
that is silent for 2 s is lost. A machine that is merely busy goes on in the middle of a group of pictures."""
WATCH_EVERY_S = 0.5
"""How often the threads are watched; a stall is told before the daemon takes this process for hung."""
DISK_SILENT_S = 2.0
"""A disk that has not answered for so long is told; cards stop for shorter than that many times a day."""


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
        self._channel = channel
        self._clock = clock
        self._ending = threading.Event()
        self._disk_stalled = Complaint(channel.send)
        folder, footage, camera = config.footage_folder / "segments", config.footage, config.camera
        volume = volume_of(config)
        space = Space(
            volume,
            index,
            Retention.of(footage),
            clock=clock,
            tell=channel.send,
            wanted=partial(waited_for, config),
        )
        self._upkeep = Upkeep(space, channel.send)
        darkroom = Darkroom(index, volume, footage)
        self._stills = MediaDesk(darkroom.still, channel.send)
        self._strips = MediaDesk(darkroom.strip, channel.send)  # a desk of its own: a still is due within a second
        self._clips = MediaDesk(darkroom.clip, channel.send)
        self._orders = Orders(config, volume, darkroom, clock)
        self._ordered = MediaDesk(self._orders.carry_out, channel.send)  # nothing of an incident waits for an operator
        self._desks = self._stills, self._strips, self._clips, self._ordered
        overlay = Overlay(config.unit, camera, clock)
        self._feed = CameraFeed(
            lambda: open_camera(camera, overlay), Rate(camera.fps, camera.bitrate_kbps), channel.send
        )
        self._lookout = Lookout(self._feed.lores, channel.send) if camera.tamper else None
        self._recording = Recording(
            folder,
            index,
            space,
            clock=clock,
            pace=Pace(camera.bitrate_kbps, footage.segment_s, footage.sync_s),
            tell=channel.send,
            on_disk=self._footage_reached,
        )

    def run(self) -> None:
        """Work until the channel closes or a thread fails, whose exception is then raised here."""
        upkeep = partial(self._upkeep.work, self._ending)
        loops: list[Callable[[], None]] = [self._record, upkeep, *(desk.work for desk in self._desks)]
        if self._lookout is not None:
            loops.append(self._lookout.work)
        loops.append(self._feed.film)  # the last to begin: a thread that cannot start leaves nothing behind to stop
        with ThreadPoolExecutor(len(loops), thread_name_prefix="recorder") as pool:
            threads: list[Future[None]] = [pool.submit(loop) for loop in loops]
            try:
                while not self._channel.closed.is_set() and not any(thread.done() for thread in threads):
                    self._take(self._channel.request(WATCH_EVERY_S))
                    self._watch_disk()
            finally:
                self._feed.close()
                for desk in self._desks:
                    desk.close()
                if self._lookout is not None:
                    self._lookout.close()
                self._ending.set()
        for thread in threads:
            thread.result()

    def _watch_disk(self) -> None:
        if self._recording.disk_silent_s() > DISK_SILENT_S:
            text = f"The disk has not answered for {DISK_SILENT_S:.0f} s; up to {QUEUE_S:.0f} s of pictures wait for it"
            self._disk_stalled.make("disk-stalled", text)
        else:
            self._disk_stalled.withdraw()

    def _take(self, request: Request | None) -> None:
        match request:
            case StillRequest():
                self._stills.order(request.alert_id, self._ready_s(request.at), request)
            case StripRequest():
                self._strips.order(request.alert_id, self._ready_s(request.at.later(APART_S)), request)
            case ClipRequest():
                self._clips.order(request.alert_id, self._ready_s(request.end), request)
            case StillOrder() | ClipOrder() | HoldOrder() | ReleaseOrder():
                self._ordered.order(request.order_id, self._orders.ready_s(request), request)

    def _ready_s(self, until: Moment) -> float:
        """When footage up to this moment can be on the disk, on the monotonic clock; that of another boot is."""
        return until.monotonic_s if until.boot_id == self._clock.now().boot_id else 0.0

    def _record(self) -> None:
        silent_looks = 0
        while not self._ending.is_set():
            frame = self._feed.next(LOOK_EVERY_S)
            if frame is not None:
                self._recording.write(frame)
                silent_looks = 0
                continue
            silent_looks += 1
            if silent_looks < CAMERA_GONE_LOOKS:
                self._recording.rest()
            else:
                self._recording.pause()
        while (frame := self._feed.next(0)) is not None:  # taken before the end: it belongs on the disk
            self._recording.write(frame)
        self._recording.pause()

    def _footage_reached(self, moment_s: float) -> None:
        for desk in self._desks:
            desk.footage_reached(moment_s)
