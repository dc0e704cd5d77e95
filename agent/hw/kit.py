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

    from gpiozero.pins import Factory

    from agent.config.settings import CameraSettings, SpeakerSettings, VoiceSettings

KIT_ENTRY_POINTS = "safepoint.kits"


class HardwareLost(Exception):
    """A device is absent, went away or refuses to work: say so once, try again later, go on with the rest."""


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


@dataclass(frozen=True)
class PcmBlock:
    """A block of sound: 16-bit little-endian mono PCM at `SAMPLE_RATE_HZ`."""

    pcm: bytes
    ended_s: float
    """When its last sample was taken, on CLOCK_MONOTONIC."""
    lost: int = 0
    """Blocks that were lost just before this one."""


class Microphone(Protocol):
    """A running capture; lives in the listener process."""

    def blocks(self) -> Iterator[PcmBlock]:
        """Yield blocks of `BLOCK_SAMPLES` in real time until closed.

        Raises:
            HardwareLost: the device went away, or gave no block for a second.
        """
        ...

    def close(self) -> None:
        """Stop; `blocks` ends."""
        ...


@dataclass(frozen=True)
class Packet:
    """One encoded H.264 frame (Annex B, parameter sets in band before each key frame, no B-frames)."""

    data: bytes
    keyframe: bool
    taken_s: float
    """When the frame was taken, on CLOCK_MONOTONIC; strictly increasing."""
    lost: int = 0
    """Frames that were lost just before this one; never other than 0 but before a key frame."""


class Camera(Protocol):
    """A running camera with its encoder; lives in the recorder process."""

    def packets(self) -> Iterator[Packet]:
        """Yield encoded frames in real time until closed, a key frame each second.

        Raises:
            HardwareLost: the camera went away, or gave no frame for two seconds.
        """
        ...

    def close(self) -> None:
        """Stop; `packets` ends."""
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
        """A capture that has begun. In the listener process only.

        Raises:
            HardwareLost: it cannot be opened.
        """
        ...

    def camera(self, settings: CameraSettings) -> Camera:
        """A camera that has begun. In the recorder process only.

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
