"""What was found when a slot was looked at last: a small file, for the daemon and the doctor."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

FOUND: Final = Path("/var/lib/safepoint-software/found.json")
"""Root's, like the folder: neither the agent nor its update can write there."""
MOST_BYTES: Final = 64 * 1024


class State(StrEnum):
    """How a slot is."""

    RIGHT = "right"
    """As it was filled."""
    CHANGED = "changed"
    UNLISTED = "unlisted"
    """Nothing says how it was filled."""
    UNREADABLE = "unreadable"
    """It cannot be looked at."""


@dataclass(frozen=True)
class Found:
    """One look."""

    state: State
    slot: str
    boot_id: str
    boot_s: float
    """When it ended, in seconds since that boot: a day is a day whatever the clock says."""
    wrong: tuple[str, ...] = ()
    """Files that are not as they were, the first few: `changed lib/...`."""
    wrong_count: int = 0
    """All of them."""
    why: str = ""
    """What else there is to say, as the end of a sentence."""
    listed: str = ""
    """The SHA-256 of the list: what names this very filling of the slot."""
    signed: bool = False
    """The publisher's signature vouches for the wheels' files."""
    files: int = 0
    took_s: float = 0.0

    def write(self, path: Path) -> None:
        """Put it there, whole.

        Raises:
            OSError: the disk does not take it.
        """
        part = path.with_name(f".{path.name}.part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The last look; None: there was none that this version understands.

        Raises:
            OSError: the disk does not tell.
        """
        try:
            with path.open("rb") as file:
                told = json.loads(file.read(MOST_BYTES))
            return cls(**{**told, "state": State(told["state"]), "wrong": tuple(told["wrong"])})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None


def boot_id() -> str:
    """Which start of the machine this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def boot_s() -> float:
    """Seconds since it, those in which the machine slept among them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
