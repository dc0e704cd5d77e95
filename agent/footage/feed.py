"""The camera's thread: opens it, opens it again when it is lost, and never waits for the disk."""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from itertools import chain, repeat
from typing import TYPE_CHECKING

from agent.footage.complaint import Complaint
from agent.hw.kit import Camera, HardwareLost, Packet

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.helpers.messages import Event

QUEUE_S = 10.0
"""Footage that may wait for the disk: an SD card's own housekeeping stops writes for seconds. 2.5 MB at 2 Mbit/s."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
"""Waits before the camera is opened again; the last one repeats."""


class CameraFeed:
    """A queue of frames that a camera fills for as long as there is one."""

    def __init__(self, open_camera: Callable[[], Camera], fps: int, tell: Callable[[Event], None]) -> None:
        self._open_camera = open_camera
        self._frames: queue.Queue[Packet] = queue.Queue(maxsize=int(QUEUE_S * fps))
        self._opening = threading.Lock()
        self._camera: Camera | None = None
        self._closed = threading.Event()
        self._camera_lost = Complaint(tell)
        self._disk_slow = Complaint(tell)

    def film(self) -> None:
        """Fill the queue until closed; blocks, in a thread of its own."""
        backoff = chain(BACKOFF_S, repeat(BACKOFF_S[-1]))
        while not self._closed.is_set():
            try:
                with closing(self._begin()) as camera:
                    for frame in camera.packets():
                        self._camera_lost.withdraw()
                        backoff = chain(BACKOFF_S, repeat(BACKOFF_S[-1]))
                        self._offer(frame)
                self._check_wanted()
            except HardwareLost as lost:
                self._camera_lost.make("camera-lost", f"No pictures are recorded: {lost}")
                self._closed.wait(next(backoff))

    def next(self, timeout_s: float) -> Packet | None:
        """The next frame, or None when none came in time."""
        try:
            return self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop the camera; `film` ends."""
        with self._opening:
            self._closed.set()
            if self._camera is not None:
                self._camera.close()

    def _begin(self) -> Camera:
        camera = self._open_camera()
        with self._opening:
            self._camera = camera
            if self._closed.is_set():  # closed while it was being opened
                camera.close()
        return camera

    def _check_wanted(self) -> None:
        """A camera ends when it is closed; one that ends by itself is lost."""
        if not self._closed.is_set():
            msg = "the camera stopped by itself"
            raise HardwareLost(msg)

    def _offer(self, frame: Packet) -> None:
        """Queue a frame; once one did not fit, nothing fits before the next key frame, since it could not be shown."""
        if self._disk_slow.stands and not frame.keyframe:
            return
        try:
            self._frames.put_nowait(frame)
        except queue.Full:
            self._disk_slow.make("disk-slow", f"The disk stands still for over {QUEUE_S:.0f} s: pictures are lost")
        else:
            self._disk_slow.withdraw()
