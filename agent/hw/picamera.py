"""The Pi's camera: picamera2 with an H.264 encoder, read as packets. Lives in the recorder process."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.hw.encoding import Encoding, frame_limits_us
from agent.hw.ending import end_device
from agent.hw.intake import Intake
from agent.hw.kit import HardwareLost, LoresFrame, Packet, Rate, lores_size_px
from agent.hw.packet_gate import PacketGate
from agent.hw.planes import PLANAR, picture_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.filming import CameraSettings
    from agent.hw.kit import BurnIn

QUEUE_S = 5
"""A writer that is further behind than this loses frames, counted; memory is bounded (1.3 MB at 2 Mbit/s)."""
SILENT_AFTER_S = 2.0
"""No frame for so long and the camera stack hangs: it says so itself only sometimes (camera-lab section 2)."""
LORES_EVERY_S = 0.2
"""Analysis looks less often than the camera films: a copy of each picture would be for nothing."""


class PiCamera:
    """A running camera with its encoder: the hardware one on a Pi 4 and older, libx264 on a Pi 5.

    Raises:
        HardwareLost: no picamera2, no camera, or the camera refuses the size, the rate or the encoder.
    """

    def __init__(self, settings: CameraSettings, burn_in: BurnIn) -> None:
        try:
            import libcamera  # noqa: F401, PLC0415 - the native half of picamera2; tells which of the two is missing
            import picamera2  # noqa: PLC0415 - in the recorder of a Pi only
        except ImportError as error:
            msg = f"{error.name} is not installed: apt install --no-install-recommends python3-picamera2"
            raise HardwareLost(msg) from error
        self._name = f"camera {settings.name!r}"
        self._burn_in = burn_in
        self._intake: Intake[Packet] = Intake(self._name, QUEUE_S * settings.fps, SILENT_AFTER_S)
        self._failed = threading.Event()
        self._closing = threading.Lock()
        """Taken for good by whoever closes first."""
        self._lores: LoresFrame | None = None
        self._wishes: queue.SimpleQueue[Rate | None] = queue.SimpleQueue()
        """Rates to film at, each in its turn; None ends the thread that sees to them."""
        self._changing = threading.Thread(target=self._change_rates, name="camera-rate", daemon=True)
        try:
            if not picamera2.Picamera2.global_camera_info():
                # asked beforehand: a `Picamera2` that finds none leaves a pipe open, and we try for as long as it takes
                msg = f"{self._name} cannot be opened: no camera is connected"
                raise HardwareLost(msg)
            self._camera = picamera2.Picamera2()
        except (RuntimeError, IndexError, OSError) as error:
            msg = f"{self._name} cannot be opened: {error}"
            raise HardwareLost(msg) from error
        self._encoding = Encoding(self._camera, settings.encoder, PacketGate(self._intake), self._lose)
        self._changing.start()
        try:
            self._start(settings)
        except (RuntimeError, ValueError, OSError) as error:
            msg = f"{self._name} does not start: {error}"
            self.close()
            raise HardwareLost(msg) from error

    def packets(self) -> Iterator[Packet]:
        """Yield encoded frames in real time until closed.

        Raises:
            HardwareLost: the camera gave no frame for two seconds, or a picture could not be burned in.
        """
        return iter(self._intake)

    def lores(self) -> LoresFrame | None:
        """The newest analysis picture, or None before the first one."""
        return self._lores

    def change_rate(self, rate: Rate) -> None:
        """Film at this rate from a key frame soon; a change that cannot be made loses the camera."""
        self._wishes.put(rate)

    def close(self) -> None:
        """Stop; `packets` ends.

        Raises:
            HardwareHangs: the device does not come back from being stopped.
        """
        if not self._closing.acquire(blocking=False):
            return
        self._intake.close()
        self._encoding.end()
        self._wishes.put(None)
        end_device("camera", self._end_camera)

    def _start(self, settings: CameraSettings) -> None:
        rate = Rate(settings.fps, settings.bitrate_kbps)
        size = settings.width_px, settings.height_px
        lores = lores_size_px(*size)
        self._camera.configure(
            self._camera.create_video_configuration(
                main={"size": size, "format": PLANAR},
                lores={"size": lores, "format": PLANAR},
                controls={"FrameDurationLimits": frame_limits_us(rate)},
                queue=False,  # nobody asks for single pictures: none is kept back from the sensor for that
            )
        )
        given = self._camera.camera_configuration()
        if (given["main"]["size"], given["lores"]["size"]) != (size, lores):
            # masks are drawn in parts of the picture: of a cropped one they would cover something else
            msg = f"it films {given['main']['size']} and {given['lores']['size']} instead of {size} and {lores}"
            raise ValueError(msg)
        self._camera.pre_callback = self._frame_comes
        self._encoding.begin(rate)
        self._camera.start()

    def _frame_comes(self, request: Any) -> None:  # noqa: ANN401 - picamera2 has no types
        """Before the encoders get a frame, on picamera2's own thread, which an exception would end without a word."""
        if self._failed.is_set():
            return
        try:
            sensor_ns = request.get_metadata()["SensorTimestamp"]
            self._look(request, sensor_ns / 1e9)
            self._draw(request, sensor_ns / 1e9)
            self._encoding.pass_on(int(sensor_ns / 1000))  # as picamera2's encoders reckon
        except Exception as error:  # noqa: BLE001 - whatever it is, the picture is not fit to go out
            self._lose(f"failed to draw on a picture: {type(error).__name__}: {error}")

    def _draw(self, request: Any, taken_s: float) -> None:  # noqa: ANN401
        from picamera2 import MappedArray  # noqa: PLC0415

        main = request.config["main"]
        with MappedArray(request, "main", reshape=False) as mapped:
            self._burn_in(picture_in(mapped.array, main["format"], main["size"], main["stride"]), taken_s)

    def _look(self, request: Any, taken_s: float) -> None:  # noqa: ANN401
        from picamera2 import MappedArray  # noqa: PLC0415

        if self._lores is not None and taken_s - self._lores.taken_s < LORES_EVERY_S:
            return
        lores = request.config["lores"]
        with MappedArray(request, "lores", reshape=False, write=False) as mapped:
            luma = picture_in(mapped.array, lores["format"], lores["size"], lores["stride"]).luma
            self._lores = LoresFrame(np.array(luma), taken_s)

    def _lose(self, reason: str) -> None:
        """Let nothing out any more: the reader gets what is queued, then `HardwareLost`."""
        self._failed.set()
        self._intake.fail(reason)

    def _change_rates(self) -> None:
        while (rate := self._wishes.get()) is not None:
            try:
                self._encoding.change_rate(rate)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows at which rate it films now
                if not self._closing.locked():
                    self._lose(f"cannot film at {rate.fps} fps, {rate.bitrate_kbps} kbit/s: {error}")

    def _end_camera(self) -> None:
        with contextlib.ExitStack() as steps:  # last one first; each is tried whatever the one before raised
            # ends its event loop first: `stop` would ask that loop, which an exception may have ended before
            steps.callback(self._camera.close)
            steps.callback(self._camera.stop_encoder)
            steps.callback(self._changing.join)
            steps.callback(self._camera.cancel_all_and_flush)  # or all waits for ever for a frame that never comes
