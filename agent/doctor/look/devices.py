"""What hardware the kernel shows, without opening any of it: the daemon has it open."""

from __future__ import annotations

import grp
import importlib.util
import platform
import re
import shutil
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.doctor.facts import Devices, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.settings import Config
    from agent.doctor.look.case import Case

_PCM: Final = re.compile(r"^(\d+-\d+): (.*?) : .*$")
_LENSES: Final = ("dw9807", "ak7375", "ad5398")
"""Focus motors sit on the same cable as the sensor and answer for none."""


def look(case: Case) -> Devices | None:
    """Read it from /dev, /sys and /proc."""
    if case.config is None or case.config.hardware.kit != "pi":
        return None
    microphones, speakers = _sound()
    return Devices(
        board=_text(Path("/proc/device-tree/model")),
        pins=tuple(_nodes("gpiochip*")),
        sound=tuple(_nodes("snd/pcm*")),
        video=(*_nodes("video*"), *_nodes("media*")),
        microphones=microphones,
        speakers=speakers,
        cameras=tuple(_cameras()),
        lacking=tuple(_lacking(case.config)),
    )


def _nodes(pattern: str) -> Iterator[Node]:
    for path in sorted(Path("/dev").glob(pattern)):
        status = path.stat()
        try:
            group = grp.getgrgid(status.st_gid).gr_name
        except KeyError:
            group = str(status.st_gid)
        yield Node(str(path), group, status.st_mode & 0o777)


def _sound() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that record, and those that play; lines as "00-00: bcm2835 Headphones : ... : playback 8"."""
    lines = _text(Path("/proc/asound/pcm")).splitlines()
    named = [(f"{found[2]} (hw:{found[1]})", line) for line in lines if (found := _PCM.match(line))]
    return (
        tuple(name for name, line in named if ": capture" in line),
        tuple(name for name, line in named if ": playback" in line),
    )


def _cameras() -> Iterator[str]:
    """Sensors: sub-devices of the camera stack that sit on an I2C bus, which they only do once they have answered."""
    for sub in sorted(Path("/sys/class/video4linux").glob("v4l-subdev*")):
        name = _text(sub / "name")
        if "/i2c-" in str((sub / "device").resolve()) and not name.startswith(_LENSES):
            yield name


def _lacking(config: Config) -> Iterator[str]:
    """Debian packages: what pip cannot bring (research: camera-lab section 4)."""
    # PyPI's lgpio is a placeholder without this native half.
    if (config.inputs or config.lamp) and importlib.util.find_spec("_lgpio") is None:
        yield "python3-lgpio"
    if config.camera.enabled and not all(importlib.util.find_spec(name) for name in ("libcamera", "picamera2")):
        yield "python3-picamera2"
    if config.voice.needs_microphone and find_library("portaudio") is None:
        yield "libportaudio2"
    if config.voice.enabled and platform.machine() == "aarch64" and find_library("atomic") is None:
        yield "libatomic1"  # Vosk's library for this processor is linked with it
    if config.speaker.enabled and shutil.which("aplay") is None:
        yield "alsa-utils"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\0\n")
    except FileNotFoundError:
        return ""
