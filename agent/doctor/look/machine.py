"""The board, its clock, its supply, and what software is on it."""

from __future__ import annotations

import platform
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import agent
from agent.clock import kernel_clock_synced
from agent.doctor.facts import Machine
from agent.doctor.look.asking import properties
from agent.software.release import release_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.look.case import Case

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
PACKAGE: Final = "safepoint-agent"
THROTTLED: Final = "devices/platform/soc*/*firmware/get_throttled"
"""Where the Raspberry Pi's kernel shows the firmware's word, in hexadecimal."""


def look(_case: Case) -> Machine:
    """Read it from the kernel."""
    return Machine(
        wall=datetime.now(UTC),
        synced=kernel_clock_synced(),
        uptime_s=float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]),
        throttled=_throttled(),
        watchdog_s=_watchdog_s(),
        versions=dict(_versions()),
    )


def _throttled() -> int | None:
    for path in sorted(Path("/sys").glob(THROTTLED)):
        return int(path.read_text(encoding="ascii").strip(), 16)
    return None


def _watchdog_s() -> float | None:
    """Systemd shows times as `15s`, `1min 30s` or `infinity`, and as plain microseconds where it has no better."""
    with suppress(OSError):
        said = properties("systemctl", "show", "--property=RuntimeWatchdogUSec")[0].get("RuntimeWatchdogUSec", "")
        return seconds(said)
    return None


UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds(span: str) -> float | None:
    """A time span as systemd.time(7) writes it; None when it has no end or is none."""
    total = 0.0
    for word in span.split():
        number = word.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = word[len(number) :] or "us"
        if unit not in UNITS or not number.replace(".", "", 1).isdigit():
            return None
        total += float(number) * UNITS[unit]
    return total or None


def _versions() -> Iterator[tuple[str, str]]:
    yield "agent", agent.__version__
    if (release := release_of(Path(sys.prefix))) is not None:
        yield "release", release
    yield "python", platform.python_version()
    yield "kernel", f"{platform.release()} {platform.machine()}"
    with suppress(OSError):
        yield "system", platform.freedesktop_os_release().get("PRETTY_NAME", "")
    with suppress(PackageNotFoundError):
        for needed in requires(PACKAGE) or ():
            named = _NAME.match(needed)
            if named and "extra ==" not in needed:
                with suppress(PackageNotFoundError):
                    yield named[0], version(named[0])
