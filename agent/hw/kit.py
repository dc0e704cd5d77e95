"""What a unit stands on: one narrow protocol for each device, and the kit that builds them.

`PiKit` (`agent.hw.pi`) is the product. The simulated street's kit (`fakes.kit`) is a second one, found by the same
entry point group; nothing in the agent asks which of the two it has. Pins differ only in gpiozero's pin factory, so
inputs and lamp are the same code on both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import numpy as np
    from gpiozero.pins import Factory
    from numpy.typing import NDArray

    from agent.config.filming import CameraSettings
    from agent.config.hearing import VoiceSettings
    from agent.config.settings import SpeakerSettings

KIT_ENTRY_POINTS = "safepoint.kits"


class HardwareLost(Exception):
    """A device is absent, went away or refuses to work: say so once, try again later, go on with the rest."""


class HardwareHangs(HardwareLost):
    """A device does not come back from being asked to end: only the end of this process, or of the boot, frees it."""


LostOrBack = Callable[[HardwareLost | None], None]
"""Hears once why a device is lost, and once (None) that it works again; called on the event loop."""


class KitUnusable(Exception):
    """No kit can be made of what the configuration says; somebody has to change it."""


class Speaker(Protocol):
    """Speaks stored lines; never blocks, never raises into the alarm path."""

    def say(self, wav_path: str) -> None:
        """Play this WAV file now, in the place of anything still playing; return at once.

        Whether it could be played shows only later: the `LostOrBack` that the kit was given hears of it.
        """
        ...

    def close(self) -> None:
        """Stop what is playing and free the device."""
        ...


BLOCK_MS = 100
"""Length of a microphone block. The decoder steps in 0.2 s; the 0.5 s of the usual example is avoidable latency
(peers.md D.1)."""
SAMPLE_RATE_HZ = 16_000
BLOCK_SAMPLES = SAMPLE_RATE_HZ * BLOCK_MS // 1000
WIDE_RATE_HZ = 48_000
"""What the sound level meter needs: its 8 kHz octave ends at 11.2 kHz. Every converter has this rate."""
WIDE_BLOCK_SAMPLES = WIDE_RATE_HZ * BLOCK_MS // 1000


@dataclass(frozen=True)
class PcmBlock:
    """A block of sound: 16-bit little-endian mono PCM at `SAMPLE_RATE_HZ`."""

    pcm: bytes
    ended_s: float
    """When its last sample was taken, on CLOCK_MONOTONIC."""
    lost: int = 0
    """Blocks that were lost just before this one."""
    wide: bytes = b""
    """The same sound at `WIDE_RATE_HZ`, where a sound level meter is on (`VoiceSettings.meter`)."""


class Microphone(Protocol):
    """A running capture; lives in the listener process."""

    def blocks(self) -> Iterator[PcmBlock]:
        """Yield blocks of `BLOCK_SAMPLES` in real time until closed, wide ones where a sound level meter is on.

        Raises:
            HardwareLost: the device went away, or gave no block for a second.
        """
        ...

    def close(self) -> None:
        """Stop; `blocks` ends.

        Raises:
            HardwareHangs: the device does not come back from being stopped.
        """
        ...


@dataclass(frozen=True)
class Rate:
    """At what cost a camera films; the whole of it can change while it runs."""

    fps: int
    bitrate_kbps: int

    @property
    def frame_s(self) -> float:
        """From one frame to the next."""
        return 1 / self.fps


@dataclass(frozen=True)
class Packet:
    """One encoded H.264 frame (Annex B, parameter sets in band before each key frame, no B-frames)."""

    data: bytes
    keyframe: bool
    taken_s: float
    """When the frame was taken, on CLOCK_MONOTONIC; strictly increasing."""
    frame_s: float
    """When the next one is due after it: what tells a lost frame from a slower rate. Changes at key frames only."""
    lost: int = 0
    """Frames that were lost just before this one; never other than 0 but before a key frame."""


@dataclass(frozen=True)
class Picture:
    """A picture on its way to the encoder, to be drawn on: views into the camera's own buffer (YUV 4:2:0)."""

    luma: NDArray[np.uint8]
    """Brightness, rows x columns; video's black is 16, its white 235 (ITU-R BT.601)."""
    cb: NDArray[np.uint8]
    cr: NDArray[np.uint8]
    """Colour differences, half as many rows and columns; 128 is none."""


BurnIn = Callable[[Picture, float], None]
"""Draws what must never be missing into a picture taken at this monotonic moment; called on the camera's own thread.

A picture that it fails with is never encoded: the camera is lost (`HardwareLost`) before anything of it is given."""

LORES_WIDTH_PX = 320
"""Enough to tell a hand from a wall; analysis is for tamper, and its cost grows with the square of this."""


@dataclass(frozen=True)
class LoresFrame:
    """A small picture for analysis. It never leaves the unit and is never stored."""

    luma: NDArray[np.uint8]
    """Brightness, rows x columns, of `lores_size_px`; a copy that nobody else writes to."""
    taken_s: float


def lores_size_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Width and height of the analysis picture of a camera of this size: even, and never larger than it."""
    width = min(LORES_WIDTH_PX, width_px)
    return width, min(max(2, round(width * height_px / width_px / 2) * 2), height_px)


class Camera(Protocol):
    """A running camera with its encoder; lives in the recorder process.

    It begins at the rate of its settings. `lores` and `change_rate` may be called from any thread.
    """

    def packets(self) -> Iterator[Packet]:
        """Yield encoded frames in real time until closed, a key frame each second.

        Raises:
            HardwareLost: the camera went away, gave no frame for two seconds, or a picture could not be burned in.
        """
        ...

    def lores(self) -> LoresFrame | None:
        """The newest analysis picture, or None before the first one."""
        ...

    def change_rate(self, rate: Rate) -> None:
        """Film at this rate from a key frame soon; a change that cannot be made loses the camera, as above."""
        ...

    def close(self) -> None:
        """Stop; `packets` ends.

        Raises:
            HardwareHangs: the device does not come back from being stopped.
        """
        ...


class Kit(Protocol):
    """Builds the devices of one kind of hardware."""

    def pin_factory(self) -> AbstractContextManager[Factory]:
        """The way to the pins, as gpiozero takes it; leaving the context frees them. In the daemon only.

        Raises:
            HardwareLost: there are no pins here.
        """
        ...

    def speaker(self, settings: SpeakerSettings, on_lost: LostOrBack) -> Speaker:
        """The speaker. In the daemon only, with its event loop running."""
        ...

    def microphone(self, settings: VoiceSettings) -> Microphone:
        """A capture that has begun, the only one of this process. In the listener process only.

        Raises:
            HardwareLost: it cannot be opened.
            HardwareHangs: the device does not come back from being opened.
        """
        ...

    def camera(self, settings: CameraSettings, burn_in: BurnIn) -> Camera:
        """A camera that has begun, with `burn_in` in every picture. In the recorder process only.

        Raises:
            HardwareLost: it cannot be opened.
        """
        ...


def kit_names() -> list[str]:
    """The kits installed here."""
    return sorted(entry.name for entry in entry_points(group=KIT_ENTRY_POINTS))


def load_kit(name: str, options: Mapping[str, str]) -> Kit:
    """Build the kit installed under this name.

    Raises:
        KitUnusable: no such kit is installed, or its options are not what it needs.
    """
    for entry in entry_points(group=KIT_ENTRY_POINTS, name=name):
        factory = cast("Callable[[Mapping[str, str]], Kit]", entry.load())
        return factory(options)
    msg = f"no hardware kit {name!r} is installed; there are: {', '.join(kit_names()) or 'none'}"
    raise KitUnusable(msg)
