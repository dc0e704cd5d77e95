"""What the street and a unit's `StreetKit` say to each other over the street's Unix socket.

One connection a device. JSON lines, the first of which names the device: `Hello` up; down comes `Refused`, or the
answer that starts the device's work (`Levels` for the pins, `Scene` for the camera, `Welcome` for the others). After
its `Welcome` a microphone gets binary `Frame`s instead of lines. All times are readings of CLOCK_MONOTONIC, which
every process of one boot shares.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass as plain_dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from fakes.lens import BeforeLens
from fakes.scene import NOT_TURNED

SOCKET_NAME = "street.sock"
"""The socket's name in the street's folder: a unit's configuration can be written before its street is built."""

Device = Literal["pins", "speaker", "microphone", "camera"]


@dataclass(frozen=True)
class Hello:
    """Up, the first line: which device connects."""

    device: Device
    type: Literal["hello"] = "hello"


@dataclass(frozen=True)
class Refused:
    """Down: the device is not there now; the connection ends."""

    reason: str
    type: Literal["refused"] = "refused"


@dataclass(frozen=True)
class Welcome:
    """Down: the device is there."""

    type: Literal["welcome"] = "welcome"


@dataclass(frozen=True)
class Levels:
    """Down: what is on the wires of all inputs now, by BCM pin number."""

    levels: dict[int, bool]
    type: Literal["levels"] = "levels"


@dataclass(frozen=True)
class Step:
    """One level on a wire."""

    at_s: float
    """How long after the first step."""
    level: bool


@dataclass(frozen=True)
class Drive:
    """Down: put these levels on an input's wire, one after the other."""

    number: int
    """Counts the drives of a street; the answer repeats it."""
    pin: int
    steps: tuple[Step, ...]
    type: Literal["drive"] = "drive"


@dataclass(frozen=True)
class Driven:
    """Up: a drive was carried out."""

    number: int
    at_s: float
    """Just before the first level was put on the pin: where a latency begins."""
    type: Literal["driven"] = "driven"


@dataclass(frozen=True)
class OutputChanged:
    """Up: the unit changed an output."""

    pin: int
    level: float | None
    """0 to 1; between them with PWM. None: the pin was let go and is an input again."""
    at_s: float
    type: Literal["output-changed"] = "output-changed"


@dataclass(frozen=True)
class Said:
    """Up: the unit began to speak a line."""

    line: str
    path: str
    """The recording."""
    at_s: float
    duration_s: float
    type: Literal["said"] = "said"


@dataclass(frozen=True)
class Scene:
    """Down: all that is to be seen, whenever any of it changes."""

    person: bool = False
    """Somebody walks along the shop front."""
    lamp: bool = False
    before_lens: BeforeLens = BeforeLens.NOTHING
    turned: tuple[float, float, float] = NOT_TURNED
    """Across and down in shares of the picture, and degrees of tilt."""
    stuck: bool = False
    """The camera repeats its last picture."""
    frozen: bool = False
    """The camera is there and gives no frames."""
    plugged: bool = True
    type: Literal["scene"] = "scene"


Message = Hello | Refused | Welcome | Levels | Drive | Driven | OutputChanged | Said | Scene

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def encode(message: Message) -> bytes:
    """The message as one line."""
    return _ADAPTER.dump_json(message) + b"\n"


def decode(line: bytes) -> Message:
    """The message of one line.

    Raises:
        ValueError: it is none of ours.
    """
    return _ADAPTER.validate_json(line)


@plain_dataclass(frozen=True)
class Frame:
    """A block of sound on its way to a microphone."""

    pcm: bytes
    """Empty for a block that a stalled microphone did not give: its silence is told, not measured, since the street may
    be late on busy cores, and a microphone is not."""
    ended_s: float
    """When its last sample sounded."""
    lost: int
    """Blocks that this microphone missed just before, because it did not read."""

    HEADER: ClassVar = struct.Struct("<dII")
    """`ended_s`, `lost`, length of the PCM in bytes."""

    def to_bytes(self) -> bytes:
        """Header and sound."""
        return self.HEADER.pack(self.ended_s, self.lost, len(self.pcm)) + self.pcm
