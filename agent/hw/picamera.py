"""The Pi's camera: picamera2 with an H.264 encoder, read as packets. Lives in the recorder process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from agent.hw.ending import end_device
from agent.hw.intake import Intake
from agent.hw.kit import HardwareLost, Packet
from agent.hw.packet_gate import PacketGate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.settings import CameraSettings
    from agent.hw.kit import BurnIn

log = structlog.get_logger()

QUEUE_S = 5
"""A writer that is further behind than this loses frames, counted; memory is bounded (1.3 MB at 2 Mbit/s)."""
SILENT_AFTER_S = 2.0
"""No frame for so long and the camera stack hangs: it says so itself only sometimes (camera-lab section 2)."""
TakeFrame = Callable[[bytes, bool, int], None]
"""Takes an encoded frame, whether it is a key frame, and its time in microseconds since the encoder's first."""


class PiCamera:
    """A running camera with its encoder: the hardware one on a Pi 4 and older, libx264 on a Pi 5.

    Raises:
        HardwareLost: no picamera2, no camera, or the camera refuses the size or rate.
    """

    def __init__(self, settings: CameraSettings, burn_in: BurnIn) -> None:
        try:
            import libcamera  # noqa: F401, PLC0415 - the native half of picamera2; tells which of the two is missing
            import picamera2  # noqa: PLC0415 - in the recorder of a Pi only
        except ImportError as error:
            msg = f"{error.name} is not installed: apt install --no-install-recommends python3-picamera2"
            raise HardwareLost(msg) from error
        name = f"camera {settings.name!r}"
        self._intake: Intake[Packet] = Intake(name, QUEUE_S * settings.fps, SILENT_AFTER_S)
        self._gate = PacketGate(self._intake)
        self._closed = False
        self._burn_in = burn_in
        self._frame_s = 1 / settings.fps
        try:
            self._camera = picamera2.Picamera2()
        except (RuntimeError, IndexError, OSError) as error:  # IndexError: picamera2's word for "no camera"
            msg = f"{name} cannot be opened: {error}"
            raise HardwareLost(msg) from error
        try:
            self._start(settings)
        except (RuntimeError, ValueError, OSError) as error:
            self.close()
            msg = f"{name} does not start: {error}"
            raise HardwareLost(msg) from error

    def packets(self) -> Iterator[Packet]:
        """Yield encoded frames in real time until closed.

        Raises:
            HardwareLost: the camera gave no frame for two seconds.
        """
        return iter(self._intake)

    def close(self) -> None:
        """Stop; `packets` ends."""
        if self._closed:
            return
        self._closed = True
        self._intake.close()
        end_device("camera", self._end_camera)

    def _start(self, settings: CameraSettings) -> None:
        frame_us = 1_000_000 // settings.fps
        self._camera.configure(
            self._camera.create_video_configuration(
                main={"size": (settings.width_px, settings.height_px), "format": "YUV420"},
                controls={"FrameDurationLimits": (frame_us, frame_us)},
            )
        )
        self._encoder = _encoder(settings)
        self._camera.start_encoder(self._encoder, _frame_output(self._take))
        self._camera.start()

    def _take(self, frame: bytes, keyframe: bool, since_first_us: int) -> None:  # noqa: FBT001 - TakeFrame
        # The sensor's own clock: CLOCK_MONOTONIC in microseconds.
        self._gate.take(frame, (self._encoder.firsttimestamp + since_first_us) / 1e6, self._frame_s, keyframe=keyframe)

    def _end_camera(self) -> None:
        with contextlib.ExitStack() as steps:  # last one first; each is tried whatever the one before raised
            steps.callback(self._camera.close)
            steps.callback(self._camera.stop)
            steps.callback(self._camera.stop_encoder)
            steps.callback(self._camera.cancel_all_and_flush)  # or stop waits for ever for a frame that never comes


def _encoder(settings: CameraSettings) -> Any:  # noqa: ANN401 - picamera2 has no types
    """The encoder this board has; on both, parameter sets before each key frame and one of those a second."""
    from picamera2.encoders import H264Encoder, LibavH264Encoder  # noqa: PLC0415
    from picamera2.platform import Platform, get_platform  # noqa: PLC0415

    board_encodes = get_platform() == Platform.VC4
    encoder = H264Encoder if board_encodes else LibavH264Encoder
    return encoder(bitrate=settings.bitrate_kbps * 1000, repeat=True, iperiod=settings.fps, framerate=settings.fps)


def _frame_output(take: TakeFrame) -> Any:  # noqa: ANN401 - picamera2 has no types
    """An output of picamera2's kind that hands every frame on: it runs on the encoder's thread."""
    from picamera2.outputs import Output  # noqa: PLC0415

    class FrameOutput(Output):  # type: ignore[misc]  # picamera2 has no types
        def outputframe(
            self,
            frame: bytes,
            keyframe: bool = True,  # noqa: FBT001, FBT002 - picamera2's signature
            timestamp: int | None = None,
            packet: object = None,  # noqa: ARG002
            audio: bool = False,  # noqa: FBT001, FBT002
        ) -> None:
            if not audio and timestamp is not None:
                take(bytes(frame), keyframe, timestamp)

    return FrameOutput()
