"""What a step measures of the machine itself: clock, disk, boot, and the newest picture on the disk."""

from __future__ import annotations

import csv
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from agent.clock import kernel_boot_id, kernel_clock_error_us, kernel_clock_synced
from agent.durable import write_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

MEGABYTE: Final = 1_000_000
ASKED_WITHIN_S: Final = 5.0


@dataclass(frozen=True)
class ClockReading:
    """How the machine's clock stands to its source."""

    synced: bool
    source: str
    """Which program disciplines it, and by which server; "unknown" where neither tells."""
    offset_ms: float
    """What the kernel still has to correct."""
    uncertainty_ms: float
    """The most that the clock can be off, by the kernel's own account (adjtimex(2), maxerror)."""


@dataclass(frozen=True)
class Picture:
    """One picture of the camera, as it was recorded: with its masks."""

    jpeg: bytes
    luma: NDArray[np.uint8]
    taken: str
    """Wall time, UTC."""


class PictureMissing(Exception):
    """There is no picture; the text says why."""


class Machine(Protocol):
    """What is measured. Each call may take a while, and blocks."""

    def clock(self) -> ClockReading:
        """How the clock stands."""
        ...

    def write_speed(self, folder: Path) -> float:
        """How fast the disk of this folder takes what is written and made safe, in MB/s.

        Raises:
            OSError: it does not.
        """
        ...

    def boot_id(self) -> str:
        """Which power-up this is."""
        ...

    def since_power_up(self, monotonic_s: float) -> float:
        """Seconds from the kernel's start to this reading of CLOCK_MONOTONIC."""
        ...

    def picture(self) -> Picture:
        """The newest picture.

        Raises:
            PictureMissing: there is none.
        """
        ...


class ThisMachine:
    """The machine we run on."""

    def __init__(self, newest_picture: Callable[[], Picture]) -> None:
        """Remember where pictures come from."""
        self._newest_picture = newest_picture

    def clock(self) -> ClockReading:
        """How the clock stands."""
        offset_us, uncertainty_us = kernel_clock_error_us()
        return ClockReading(kernel_clock_synced(), _source(), offset_us / 1000, uncertainty_us / 1000)

    def write_speed(self, folder: Path) -> float:
        """How fast the disk of this folder is."""
        return write_speed(folder)

    def boot_id(self) -> str:
        """Which power-up this is."""
        return kernel_boot_id()

    def since_power_up(self, monotonic_s: float) -> float:
        """CLOCK_MONOTONIC begins with the kernel."""
        return monotonic_s

    def picture(self) -> Picture:
        """The newest picture."""
        return self._newest_picture()


BLOCK: Final = 4 * 1024 * 1024
BLOCKS: Final = 8
"""32 MB in pieces of a segment's size, each made safe: more than a card's own buffer, little for its life."""


def write_speed(folder: Path) -> float:
    """Write, make safe, and remove; MB/s.

    Raises:
        OSError: the disk does not take it.
    """
    path = folder / ".write-speed.part"
    block = os.urandom(BLOCK)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        began_s = time.monotonic()
        for _ in range(BLOCKS):
            write_all(fd, block)
            os.fdatasync(fd)
        took_s = time.monotonic() - began_s
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)
    return BLOCK * BLOCKS / MEGABYTE / took_s


def _source() -> str:
    """Who sets the clock, as far as anybody tells."""
    if tracking := _said("chronyc", "-n", "-c", "tracking"):
        row = next(csv.reader([tracking]), [])
        return f"chrony, {row[1]}" if len(row) > 1 and row[1] else "chrony"
    server = _said("timedatectl", "show-timesync", "--property=ServerName", "--value")
    return f"systemd-timesyncd, {server}" if server else "unknown"


def _said(*program: str) -> str | None:
    try:
        ran = subprocess.run(program, capture_output=True, text=True, timeout=ASKED_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None  # it is not installed, or its daemon does not answer
    return ran.stdout.strip() if ran.returncode == 0 else None
