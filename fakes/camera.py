"""A camera without a lens: real H.264 of a drawn street, in real time, with a clock in every picture."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from agent.clock import Clock, Moment, SystemClock
from agent.hw.kit import HardwareLost, Packet
from fakes.night_street import NightStreet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.settings import CameraSettings
    from fakes.scene import StreetScene

STALLED_AFTER_S = 2.0
"""No frame for so long means that the camera is gone (the protocol's promise)."""


class StreetFilm:
    """Draws and encodes one picture after another, at whatever moments it is told."""

    def __init__(self, settings: CameraSettings, scene: StreetScene) -> None:
        """Paint the street and open the encoder.

        Raises:
            ValueError: the picture is too small to carry a frame clock.
        """
        self._scene = scene
        self._street = NightStreet(settings.width_px, settings.height_px)
        self._gop = settings.fps
        self._number = 0
        self._encoder = av.CodecContext.create("libx264", "w")
        self._encoder.width, self._encoder.height = settings.width_px, settings.height_px
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.framerate = Fraction(settings.fps)
        self._encoder.time_base = Fraction(1, settings.fps)
        self._encoder.bit_rate = settings.bitrate_kbps * 1000
        self._encoder.gop_size = self._gop
        self._encoder.max_b_frames = 0
        self._encoder.thread_count = 1
        self._encoder.options = {
            # as picamera2's encoder for the Pi 5, but with no key frame out of turn
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"keyint={self._gop}:min-keyint={self._gop}:scenecut=0:repeat-headers=1:annexb=1:slices=1",
        }

    def shoot(self, at: Moment) -> Packet:
        """The next picture: the scene as it is now, taken at this moment."""
        frame = av.VideoFrame.from_ndarray(self._street.draw(self._scene, self._number, at), format="yuv420p")
        frame.pts = self._number
        self._number += 1
        (packet,) = self._encoder.encode(frame)  # zerolatency: one in, one out
        return Packet(bytes(packet), packet.is_keyframe, at.monotonic_s)


class SyntheticCamera:
    """A running camera over a scene: `agent.hw.kit.Camera`."""

    def __init__(self, settings: CameraSettings, scene: StreetScene, clock: Clock | None = None) -> None:
        """Begin to film.

        Raises:
            HardwareLost: the cable does not sit.
            ValueError: the picture is too small to carry a frame clock.
        """
        self._scene = scene
        self._clock = clock or SystemClock()
        self._closed = threading.Event()
        self._frame_s = 1 / settings.fps
        self._check_cable()
        self._film = StreetFilm(settings, scene)

    def packets(self) -> Iterator[Packet]:
        """Yield a frame each 1 / fps seconds until closed; one that is late is taken late, none is left out.

        Raises:
            HardwareLost: the cable came loose, or no frame came for two seconds.
        """
        due_s = last_s = time.monotonic()
        while not self._closed.wait(max(0.0, due_s - time.monotonic())):
            self._check_cable()
            now = self._clock.now()
            if not self._scene.frozen:
                yield self._film.shoot(now)
                last_s = now.monotonic_s
            elif now.monotonic_s - last_s > STALLED_AFTER_S:
                msg = f"the camera gave no frame for {STALLED_AFTER_S:.0f} s"
                raise HardwareLost(msg)
            due_s = max(due_s + self._frame_s, time.monotonic())

    def close(self) -> None:
        """Stop; `packets` ends."""
        self._closed.set()

    def _check_cable(self) -> None:
        if not self._scene.plugged:
            msg = "the camera does not answer: its cable is loose"
            raise HardwareLost(msg)
