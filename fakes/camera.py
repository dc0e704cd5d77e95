"""A camera without a lens: real H.264 of a drawn street, in real time, with a clock in every picture."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from agent.clock import Clock, Moment, SystemClock
from agent.hw.kit import HardwareLost, LoresFrame, Packet, Picture, Rate, lores_size_px
from fakes.night_street import NightStreet, Planes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.filming import CameraSettings
    from agent.hw.kit import BurnIn
    from fakes.night_street import Bare
    from fakes.scene import StreetScene

STALLED_AFTER_S = 2.0
"""No frame for so long means that the camera is gone (the protocol's promise)."""
LATE_S = 1.0
"""How late a picture may be drawn and still be that of its moment. A sensor takes its pictures in time whatever the
processor does, and buffers hold some; only a longer delay is a gap, as a camera's own drops are."""
LORES_EVERY_S = 0.2
"""Analysis looks less often than the camera films: a copy of each picture would be for nothing."""


def burn_nothing(_picture: Picture, _taken_s: float) -> None:
    """The `BurnIn` of who wants pictures as they are."""


class StreetFilm:
    """Draws and encodes one picture after another, at whatever moments it is told."""

    def __init__(self, settings: CameraSettings, scene: StreetScene, burn_in: BurnIn = burn_nothing) -> None:
        """Paint the street and open the encoder.

        Raises:
            ValueError: the picture is too small to carry a frame clock.
        """
        self._scene = scene
        self._burn_in = burn_in
        self._size = settings.width_px, settings.height_px
        self._street = NightStreet(*self._size)
        self._number = 0
        self._analysed: tuple[Bare, float] | None = None
        """The picture that analysis may look at, as it was before anything was burned in or written into it."""
        self.change_rate(Rate(settings.fps, settings.bitrate_kbps))

    def change_rate(self, rate: Rate) -> None:
        """Encode at this rate from the next picture on, which is a key frame."""
        self._rate = rate
        self._encoder = av.CodecContext.create("libx264", "w")
        self._encoder.width, self._encoder.height = self._size
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.framerate = Fraction(rate.fps)
        self._encoder.time_base = Fraction(1, rate.fps)
        self._encoder.bit_rate = rate.bitrate_kbps * 1000
        self._encoder.gop_size = rate.fps
        self._encoder.max_b_frames = 0
        self._encoder.thread_count = 1
        self._encoder.options = {
            # as picamera2's encoder for the Pi 5, but with no key frame out of turn
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"keyint={rate.fps}:min-keyint={rate.fps}:scenecut=0:repeat-headers=1:annexb=1:slices=1",
        }

    def shoot(self, at: Moment) -> Packet:
        """The next picture: the scene as it is now, taken at this moment."""
        whole = self._street.draw(self._scene, self._number, at)
        if self._analysed is None or at.monotonic_s - self._analysed[1] >= LORES_EVERY_S:
            self._analysed = self._street.bare, at.monotonic_s
        planes = Planes(whole)
        self._burn_in(Picture(planes.luma, *planes.colours), at.monotonic_s)
        frame = av.VideoFrame.from_ndarray(whole, format="yuv420p")
        frame.pts = self._number
        self._number += 1
        (packet,) = self._encoder.encode(frame)  # zerolatency: one in, one out
        return Packet(bytes(packet), packet.is_keyframe, at.monotonic_s, self._rate.frame_s)

    def lores(self) -> LoresFrame | None:
        """A small copy of a picture that is at most `LORES_EVERY_S` older than the newest."""
        if self._analysed is None:
            return None
        bare, taken_s = self._analysed
        return LoresFrame(bare.small(*lores_size_px(*self._size)), taken_s)


class SyntheticCamera:
    """A running camera over a scene: `agent.hw.kit.Camera`."""

    def __init__(
        self,
        settings: CameraSettings,
        scene: StreetScene,
        burn_in: BurnIn = burn_nothing,
        clock: Clock | None = None,
    ) -> None:
        """Begin to film.

        Raises:
            HardwareLost: the cable does not sit.
            ValueError: the picture is too small to carry a frame clock.
        """
        self._scene = scene
        self._clock = clock or SystemClock()
        self._closed = threading.Event()
        self._rate = Rate(settings.fps, settings.bitrate_kbps)
        self._unfit: str | None = None
        """Why no picture of it may be shown any more."""
        self._check_cable()
        self._film = StreetFilm(settings, scene, burn_in)

    def packets(self) -> Iterator[Packet]:
        """Yield a frame each 1 / fps seconds until closed; one that is drawn up to `LATE_S` late is dated as due.

        Raises:
            HardwareLost: the cable came loose, no frame came for two seconds, or a picture could not be burned in.
        """
        due_s = last_s = time.monotonic()
        rate = self._rate
        while not self._closed.wait(max(0.0, due_s - time.monotonic())):
            self._check_cable()
            if rate != self._rate:
                rate = self._rate
                self._film.change_rate(rate)
            if not self._scene.frozen:
                yield self._shoot(self._clock.at(due_s))
                last_s = due_s
            elif due_s - last_s > STALLED_AFTER_S:
                msg = f"the camera gave no frame for {STALLED_AFTER_S:.0f} s"
                raise HardwareLost(msg)
            due_s = max(due_s + rate.frame_s, time.monotonic() - LATE_S)

    def lores(self) -> LoresFrame | None:
        """The newest analysis picture, or None before the first one."""
        return self._film.lores()

    def change_rate(self, rate: Rate) -> None:
        """Film at this rate from the next picture on."""
        self._rate = rate

    def _shoot(self, at: Moment) -> Packet:
        if self._unfit is not None:
            raise HardwareLost(self._unfit)
        try:
            return self._film.shoot(at)
        except Exception as error:
            self._unfit = f"a picture could not be made: {error}"
            raise HardwareLost(self._unfit) from error

    def close(self) -> None:
        """Stop; `packets` ends."""
        self._closed.set()

    def _check_cable(self) -> None:
        if not self._scene.plugged:
            msg = "the camera does not answer: its cable is loose"
            raise HardwareLost(msg)
