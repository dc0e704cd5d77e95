"""The time of an event, with what is known about its truth.

Every record of a unit carries wall time, monotonic time, boot id and clock quality together, because any one of
them alone is lost in the first power cut on a board without a battery clock (design rule 3). Durations and
deadlines are always differences of `Moment.monotonic_s`; wall time is only ever shown, never subtracted.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Protocol


class ClockQuality(StrEnum):
    """How far wall time may be believed."""

    SYNCED = "synced"
    """The kernel says the clock is disciplined by a time source now."""
    HOLDOVER = "holdover"
    """It was synchronised earlier in this boot and is running free."""
    UNSYNCED = "unsynced"
    """Never synchronised in this boot: the order of records is known, their wall time is not."""


@dataclass(frozen=True, order=True)
class Moment:
    """One point in time as this unit knows it. Ordered by `monotonic_s`, so compare within one boot only."""

    monotonic_s: float
    """Seconds on CLOCK_MONOTONIC: shared by all processes of one boot, never stepped."""
    wall: datetime
    """Aware, UTC."""
    boot_id: str
    """The kernel's random boot id; moments of different boots have no monotonic order."""
    quality: ClockQuality

    def later(self, seconds: float) -> Moment:
        """The moment `seconds` after this one (before it, when negative), on both clocks."""
        return Moment(self.monotonic_s + seconds, self.wall + timedelta(seconds=seconds), self.boot_id, self.quality)


class Clock(Protocol):
    """Where the unit gets its moments from."""

    def now(self) -> Moment:
        """The present moment."""
        ...

    def at(self, monotonic_s: float) -> Moment:
        """The moment of a monotonic reading of this boot, as pin callbacks and the helper processes report it."""
        ...


STA_UNSYNC = 0x0040
"""`timex.status` bit of adjtimex(2): the clock is not synchronised. Works for every NTP daemon (io-lab section 5)."""
TIME_ERROR = 5
"""adjtimex(2) return value: clock not synchronised."""


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as `status`; the rest is room the kernel writes into."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def kernel_clock_synced() -> bool:
    """Whether the kernel believes its clock is disciplined; reading it needs no privilege."""
    timex = _Timex(modes=0)
    state = _libc().adjtimex(ctypes.byref(timex))
    return state not in {-1, TIME_ERROR} and not timex.status & STA_UNSYNC


STA_NANO = 0x2000
"""`timex.status` bit of adjtimex(2): the offset is in nanoseconds, not in microseconds."""


def kernel_clock_error_us() -> tuple[float, float]:
    """What the kernel still has to correct, and the most by which its clock can be off, by its own account."""
    timex = _Timex(modes=0)
    _libc().adjtimex(ctypes.byref(timex))
    offset = timex.offset / 1000 if timex.status & STA_NANO else float(timex.offset)
    return offset, float(timex.maxerror)


@cache
def kernel_boot_id() -> str:
    """The kernel's id of this boot: equal for every process until the next power-up."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


TOGETHER_S = 0.001
"""Two clocks read within this time were read together."""
READINGS = 5
"""A machine so busy that it interrupts each of these is believed all the same; the error is then half the last wait."""


def _both_clocks() -> tuple[float, datetime]:
    """CLOCK_MONOTONIC and wall time of the same moment: a thread may be put aside between two readings."""
    for _ in range(READINGS):
        before_s, wall, after_s = time.monotonic(), datetime.now(UTC), time.monotonic()
        if after_s - before_s <= TOGETHER_S:
            break
    return (before_s + after_s) / 2, wall


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._was_synced = False

    def now(self) -> Moment:
        """The present moment."""
        return self.at(time.monotonic())

    def at(self, monotonic_s: float) -> Moment:
        """The moment of a reading of CLOCK_MONOTONIC, by what wall time and its quality are now."""
        read_s, wall = _both_clocks()
        age_s = read_s - monotonic_s
        return Moment(monotonic_s, wall - timedelta(seconds=age_s), kernel_boot_id(), self._quality())

    def _quality(self) -> ClockQuality:
        if kernel_clock_synced():
            self._was_synced = True
            return ClockQuality.SYNCED
        return ClockQuality.HOLDOVER if self._was_synced else ClockQuality.UNSYNCED
