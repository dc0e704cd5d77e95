"""The camera's thread: opens it, opens it again when it is lost, and never waits for the disk."""

from __future__ import annotations

import contextlib
import queue
import threading
from itertools import chain, repeat
from typing import TYPE_CHECKING

from agent.footage.complaint import Complaint
from agent.footage.record.pacing import STEPS, Pacing, rates
from agent.helpers.messages import PipelineRestarted
from agent.hw.kit import Camera, HardwareHangs, HardwareLost, LoresFrame, Packet, Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.helpers.messages import Event

QUEUE_S = 10.0
"""Footage that may wait for the disk: an SD card's own housekeeping stops writes for seconds. 2.5 MB at 2 Mbit/s."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
"""Waits before the camera is opened again; the last one repeats."""


class CameraFeed:
    """A queue of frames that a camera fills for as long as there is one, as fast as the disk can take them."""

    def __init__(self, open_camera: Callable[[], Camera], full: Rate, tell: Callable[[Event], None]) -> None:
        """A feed that does not film yet.

        Args:
            open_camera: Opens the camera, which begins at the rate `full`.
            full: The rate at which it should film.
            tell: Says `Trouble`, `TroubleOver` and `PipelineRestarted` to the daemon.
        """
        self._open_camera = open_camera
        self._tell = tell
        self._full = full
        self._frames: queue.Queue[Packet] = queue.Queue(maxsize=int(QUEUE_S * full.fps))
        self._opening = threading.Lock()
        self._camera: Camera | None = None
        self._closed = threading.Event()
        self._pacing = Pacing(full)
        self._camera_lost = Complaint(tell)
        self._frames_lost = Complaint(tell)
        self._steps = [Complaint(tell) for _ in STEPS]

    def film(self) -> None:
        """Fill the queue until closed; blocks, in a thread of its own.

        Raises:
            HardwareHangs: the camera does not come back from being stopped, so that it cannot be opened again here.
        """
        backoff = chain(BACKOFF_S, repeat(BACKOFF_S[-1]))
        while not self._closed.is_set():
            try:
                with self._running() as camera:
                    for frame in camera.packets():
                        self._camera_lost.withdraw()
                        backoff = chain(BACKOFF_S, repeat(BACKOFF_S[-1]))
                        self._offer(frame)
                        if frame.keyframe:
                            self._keep_pace(camera, frame.taken_s)
                self._check_wanted()
            except HardwareHangs:
                raise
            except HardwareLost as lost:
                self._camera_lost.make("camera-lost", f"No pictures are recorded: {lost}")
                if not self._closed.wait(next(backoff)):
                    self._tell(PipelineRestarted())

    def next(self, timeout_s: float) -> Packet | None:
        """The next frame, or None when none came in time."""
        try:
            return self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def lores(self) -> LoresFrame | None:
        """The newest analysis picture, or None while there is no camera or none was taken yet."""
        camera = self._camera
        return None if camera is None else camera.lores()

    def close(self) -> None:
        """Stop the camera; `film` ends."""
        with self._opening:
            self._closed.set()
            if self._camera is not None:
                with contextlib.suppress(HardwareHangs):  # said in the journal; the process ends now anyway
                    self._camera.close()

    @contextlib.contextmanager
    def _running(self) -> Iterator[Camera]:
        """A camera that films at the present rate; closed at the end, whatever that was."""
        camera = self._open_camera()
        try:
            with self._opening:
                self._camera = camera
                if self._closed.is_set():  # closed while it was being opened
                    camera.close()
            if self._pacing.step:
                camera.change_rate(self._pacing.rate)
            yield camera
        finally:
            self._camera = None
            camera.close()

    def _check_wanted(self) -> None:
        """A camera ends when it is closed; one that ends by itself is lost."""
        if not self._closed.is_set():
            msg = "the camera stopped by itself"
            raise HardwareLost(msg)

    def _offer(self, frame: Packet) -> None:
        """Queue a frame; once one did not fit, nothing fits before the next key frame, since it could not be shown."""
        if self._frames_lost.stands and not frame.keyframe:
            return
        try:
            self._frames.put_nowait(frame)
        except queue.Full:
            self._frames_lost.make("disk-slow", f"The disk stands still for over {QUEUE_S:.0f} s: pictures are lost")
        else:
            self._frames_lost.withdraw()

    def _keep_pace(self, camera: Camera, now_s: float) -> None:
        """Film more cheaply while the disk falls behind; each step is told, and told again when it is taken back."""
        waiting_s = self._frames.qsize() * self._pacing.rate.frame_s
        if not self._pacing.look(waiting_s, now_s):
            return
        rate = self._pacing.rate
        camera.change_rate(rate)
        for number, (step, slower) in enumerate(zip(self._steps, rates(self._full)[1:], strict=True), start=1):
            if number > self._pacing.step:
                step.withdraw()
            else:
                what = f"{slower.fps} frames a second at {slower.bitrate_kbps} kbit/s"
                step.make(f"storage-slow-{number}", f"The disk cannot keep up: the camera was slowed down to {what}")
