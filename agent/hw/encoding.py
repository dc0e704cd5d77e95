"""The encoder that runs on picamera2's frames, and the change from one to the next without a frame lost in between."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from agent.hw.kit import HardwareLost

if TYPE_CHECKING:
    from agent.hw.kit import Rate
    from agent.hw.packet_gate import PacketGate

log = structlog.get_logger()

ARRIVES_WITHIN_S = 2.0
"""A change of rate takes a handful of frames; a camera that did not do it by then is one that gives no frames."""
PACE_FRAMES = 5
"""So many frames tell at what rate a camera films: one that is late, and the next on time after it, do not."""
ENCODERS_HOLD = 64
"""Frames that an encoder may have between taking and giving them, with some to spare: the Pi 4's has 16 buffers."""
EncodedFrame = tuple[bytes, float, bool]
"""Data, when it was taken (CLOCK_MONOTONIC), and whether it is a key frame."""
TakeFrame = Callable[[bytes, bool, int], None]
"""Takes an encoded frame, whether it is a key frame, and its time in microseconds since the encoder's first."""


@dataclass(eq=False)
class _Run:
    """One encoder, from its first frame to its last."""

    encoder: Any
    rate: Rate
    first_us: int | None = None
    """The sensor's time of its first frame; None before that came."""
    held: list[EncodedFrame] = field(default_factory=list)
    """What it encoded before the encoder before it had given its last."""


class Encoding:
    """Puts what picamera2's encoder makes of each frame through a gate, at a rate that may change.

    A new encoder begins before the old one ends. The first frame that both get is where one takes over: the new one
    makes a key frame of it, and what the old one makes of it is dropped. Stopping an encoder takes the Pi 4's hardware
    up to 0.4 s, which would be as many frames lost.
    """

    def __init__(self, camera: Any, kind: str, gate: PacketGate, lose: Callable[[str], None]) -> None:  # noqa: ANN401 - picamera2 has no types
        """Take what is needed.

        Args:
            camera: A `Picamera2`.
            kind: Of `CameraSettings.encoder`.
            gate: Where encoded frames go.
            lose: Told why the camera is lost; nothing that comes after that is good.
        """
        self._camera = camera
        self._kind = kind
        self._gate = gate
        self._lose = lose
        self._changed = threading.Condition()
        """Guards all below; never held while picamera2 is called."""
        self._passed: deque[int] = deque(maxlen=ENCODERS_HOLD)
        """Sensor times (µs) of the newest frames that may go out; whatever else an encoder gives does not."""
        self._run: _Run | None = None
        self._next: _Run | None = None
        self._newest_us: deque[int] = deque(maxlen=PACE_FRAMES)
        """Sensor times of the newest frames."""
        self._ended = False

    def begin(self, rate: Rate) -> None:
        """Encode from the first frame on; before the camera starts."""
        self._run = self._new_run(rate)
        self._start(self._run)

    def change_rate(self, rate: Rate) -> None:
        """Film and encode at this rate; returns when it is done, some frames later. One thread at a time.

        The slower of both rates is what packets tell during the change, so that no slow frame looks like lost ones.

        Raises:
            HardwareLost: the camera does not do it.
        """
        run = self._run
        if run is None or rate == run.rate:
            return
        if rate.fps > run.rate.fps:
            self._ask_sensor_for(rate)
            self._await("film as fast as that", lambda: self._pace_s() < rate.frame_s * 1.5)
        following = self._new_run(rate)
        with self._changed:
            self._next = following
        self._start(following)
        self._await("take another encoder", lambda: following.first_us is not None)
        self._camera.stop_encoder(run.encoder)  # returns when it gave its last
        with self._changed:
            self._run, self._next = following, None
            for data, taken_s, keyframe in following.held:
                self._gate.take(data, taken_s, rate.frame_s, keyframe=keyframe)
            following.held.clear()
        if rate.fps < run.rate.fps:
            self._ask_sensor_for(rate)

    def pass_on(self, sensor_us: int) -> None:
        """Let out the frame of this sensor time, which the encoders get next; with picamera2's own lock held."""
        with self._changed:
            self._passed.append(sensor_us)
            self._newest_us.append(sensor_us)
            following = self._next
            # Whether it will get this frame is settled: encoders are added with that lock held.
            if following is not None and following.first_us is None and following.encoder in self._camera.encoders:
                following.first_us = sensor_us
            self._changed.notify_all()

    def end(self) -> None:
        """Nobody waits for a frame any more; the encoders are the camera's to stop."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await(self, what: str, happened: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended or happened(), ARRIVES_WITHIN_S) or self._ended:
                msg = f"it does not {what}"
                raise HardwareLost(msg)

    def _ask_sensor_for(self, rate: Rate) -> None:
        self._camera.set_controls({"FrameDurationLimits": frame_limits_us(rate)})

    def _pace_s(self) -> float:
        """From one frame of the camera to the next, of late: it is not known before there are some."""
        if len(self._newest_us) < PACE_FRAMES:
            return math.inf
        return (self._newest_us[-1] - self._newest_us[0]) / (PACE_FRAMES - 1) / 1e6

    def _new_run(self, rate: Rate) -> _Run:
        return _Run(_encoder(self._kind, rate), rate)

    def _start(self, run: _Run) -> None:
        def take(data: bytes, keyframe: bool, since_first_us: int) -> None:  # noqa: FBT001 - TakeFrame
            self._take(run, data, run.encoder.firsttimestamp + since_first_us, keyframe=keyframe)

        self._camera.start_encoder(run.encoder, _frame_output(take))
        kind, rate = type(run.encoder).__name__, run.rate
        log.info("encoder_started", encoder=kind, fps=rate.fps, bitrate_kbps=rate.bitrate_kbps)

    def _take(self, run: _Run, data: bytes, sensor_us: int, *, keyframe: bool) -> None:
        """An encoder gives a frame; on its own thread."""
        with self._changed:
            if sensor_us not in self._passed:
                self._lose("gave a picture to its encoder that was not drawn on")
                return
            following = self._next
            if run is following:
                run.held.append((data, sensor_us / 1e6, keyframe))
            elif following is None or following.first_us is None or sensor_us < following.first_us:
                self._gate.take(data, sensor_us / 1e6, run.rate.frame_s, keyframe=keyframe)


def frame_limits_us(rate: Rate) -> tuple[int, int]:
    """The least and the most that the sensor may take for a frame: libcamera's way to say a rate."""
    frame_us = 1_000_000 // rate.fps
    return frame_us, frame_us


def _encoder(kind: str, rate: Rate) -> Any:  # noqa: ANN401 - picamera2 has no types
    """The encoder that is wanted; each puts parameter sets before every key frame and makes one of those a second."""
    from picamera2.encoders import H264Encoder, LibavH264Encoder  # noqa: PLC0415 - in the recorder of a Pi only
    from picamera2.platform import Platform, get_platform  # noqa: PLC0415

    if kind == "auto":
        kind = "hardware" if get_platform() == Platform.VC4 else "software"
    make = H264Encoder if kind == "hardware" else LibavH264Encoder
    encoder = make(bitrate=rate.bitrate_kbps * 1000, repeat=True, iperiod=rate.fps, framerate=rate.fps)
    if kind != "hardware":
        # More threads keep back a frame each (FFmpeg's frame threads; 2 frames on 2 cores): those that show who cut the
        # cable would never come out. One is enough for 720p at 15 fps many times over (camera-lab section 3).
        encoder.threads = 1
    return encoder


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
