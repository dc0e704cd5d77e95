"""A camera on a ribbon cable, at the boundary of picamera2's public classes (0.3.38): a test turns its crank.

picamera2 itself needs libcamera, which only a Raspberry Pi's system has.
"""

from __future__ import annotations

import sys
import threading
import types
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pytest

FIRST_US = 5_000_000
"""The sensor's clock at the first frame."""


class Platform(Enum):
    VC4 = 0
    PISP = 1


class Output:
    """picamera2's base of all outputs."""


class Encoder:
    """What both encoders share."""

    def __init__(self, *, bitrate: int, repeat: bool, iperiod: int, framerate: int) -> None:
        self.settings = {"bitrate": bitrate, "repeat": repeat, "iperiod": iperiod, "framerate": framerate}
        self.firsttimestamp: int | None = None


class H264Encoder(Encoder):
    """The board's own."""


class LibavH264Encoder(Encoder):
    """libx264."""


class Ribbon:
    """The cable between the test and the one camera that a unit can open."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.plugged = True
        self.refuses_size = False
        self.calls: list[str] = []
        self.configuration: dict[str, Any] = {}
        self.encoder: Encoder | None = None
        self.output: Any = None
        self._moves = threading.Event()
        self._moves.set()

    @classmethod
    def into(cls, system: pytest.MonkeyPatch, platform: Platform) -> Self:
        """Install picamera2 and libcamera on this system, for a camera on this ribbon."""
        ribbon = cls(platform)
        parts: dict[str, dict[str, object]] = {
            "libcamera": {},
            "picamera2": {"Picamera2": lambda: Picamera2(ribbon)},
            "picamera2.encoders": {"H264Encoder": H264Encoder, "LibavH264Encoder": LibavH264Encoder},
            "picamera2.outputs": {"Output": Output},
            "picamera2.platform": {"Platform": Platform, "get_platform": lambda: ribbon.platform},
        }
        for name, content in parts.items():
            module = types.ModuleType(name)
            vars(module).update(content)
            system.setitem(sys.modules, name, module)
        return ribbon

    def frame(self, number: int, *, keyframe: bool = False) -> None:
        """Expose and encode frame `number` of a 10 fps film, on the encoder's thread."""
        assert self.encoder is not None
        self.encoder.firsttimestamp = FIRST_US
        arguments = (b"frame %d" % number, keyframe, number * 100_000, None, False)
        thread = threading.Thread(target=self.output.outputframe, args=arguments)
        thread.start()
        thread.join()

    def disturb(self) -> None:
        """Pull at the cable: stopping the camera then never ends."""
        self._moves.clear()

    def straighten(self) -> None:
        """Put the cable right."""
        self._moves.set()

    def wait_for_frame(self) -> None:
        """Wait as `Picamera2.stop` does."""
        self._moves.wait()


class Picamera2:
    """The camera as picamera2 shows it."""

    def __init__(self, ribbon: Ribbon) -> None:
        if not ribbon.plugged:
            msg = "list index out of range"  # picamera2's words for it
            raise IndexError(msg)
        self._ribbon = ribbon

    def create_video_configuration(self, **configuration: object) -> dict[str, object]:
        return configuration

    def configure(self, configuration: dict[str, object]) -> None:
        if self._ribbon.refuses_size:
            msg = "Invalid size"
            raise RuntimeError(msg)
        self._ribbon.configuration = configuration

    def start_encoder(self, encoder: Encoder, output: Output) -> None:
        self._ribbon.encoder, self._ribbon.output = encoder, output

    def start(self) -> None:
        self._ribbon.calls.append("start")

    def cancel_all_and_flush(self) -> None:
        self._ribbon.calls.append("cancel_all_and_flush")

    def stop_encoder(self) -> None:
        self._ribbon.calls.append("stop_encoder")

    def stop(self) -> None:
        self._ribbon.wait_for_frame()
        self._ribbon.calls.append("stop")

    def close(self) -> None:
        self._ribbon.calls.append("close")
