"""Which life of which installation on which board this is, so that nobody takes a restart for a stranger.

The other end sees a name on a certificate, and both may be on two machines: a copied card, a board that was swapped,
a daemon that was killed and came back within a second. What tells them apart is told in every birth, last will and
heartbeat.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from ulid import ULID

from agent.apart import apart
from agent.durable import put_whole

if TYPE_CHECKING:
    from agent.clock import Moment

log = structlog.get_logger()

FILE_NAME: Final = "life.json"
KNOWN_WITHIN_S: Final = 3.0
"""As long as the start waits for the outbox's disk (`agent.uplink.storage`), and at the same time."""
SERIAL: Final = Path("/sys/firmware/devicetree/base/serial-number")
"""The serial number that is burnt into a Raspberry Pi; other machines have none that a service may read."""


@dataclass(frozen=True)
class Life:
    """One run of the unit, from its start to its end."""

    boot_id: str
    started_s: float
    """On CLOCK_MONOTONIC: together with the boot id no two lives share it, whatever the disk says."""
    installation: str | None = None
    """Made at the first start in this state folder. None: the disk did not tell."""
    number: int | None = None
    """Starts counted in this state folder, this one included. None: it could not be counted."""
    board: str | None = None
    """A fingerprint of the board's serial number. None: it has none."""

    def facts(self) -> dict[str, Any]:
        """As messages tell it, beside the boot id."""
        return {
            "installation": self.installation,
            "number": self.number,
            "board": self.board,
            "startedS": round(self.started_s, 3),
        }


async def begin_life(folder: Path, now: Moment, *, serial: Path = SERIAL) -> Life:
    """Begin the next life of the installation in this folder; with a disk that fails or hangs nobody counts it.

    Args:
        folder: Where the count is kept.
        now: The present moment.
        serial: Where the board says who it is.
    """
    board = board_of(serial)
    installation, number = None, None
    try:
        installation, number = await apart(lambda: _count(folder / FILE_NAME), name="life", within_s=KNOWN_WITHIN_S)
    except (OSError, TimeoutError) as error:
        log.warning("life_not_counted", reason=str(error) or "the disk does not answer")
    life = Life(now.boot_id, now.monotonic_s, installation, number, board)
    log.info("life_began", installation=installation, number=number, board=board, boot_id=now.boot_id)
    return life


def board_of(serial: Path) -> str | None:
    """A fingerprint of the board's serial number: the number itself is the default password of too many things."""
    try:
        number = serial.read_bytes().strip(b"\0\n ")
    except OSError:
        return None
    return hashlib.sha256(b"safepoint board " + number).hexdigest()[:16] if number else None


def _count(path: Path) -> tuple[str, int | None]:
    """The installation, and the number of this start, which is on the disk; None when the disk does not take it.

    Raises:
        OSError: nothing can be read here.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    installation, starts = _read(path)
    try:
        put_whole(path, json.dumps({"installation": installation, "starts": starts + 1}).encode())
    except OSError as error:
        log.warning("life_not_counted", reason=str(error))
        return installation, None
    return installation, starts + 1


def _read(path: Path) -> tuple[str, int]:
    """The installation and how often it was started; a new one where there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        kept = json.loads(path.read_bytes())
        return str(kept["installation"]), int(kept["starts"])
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError) as error:
        log.warning("life_damaged", file=str(path), reason=str(error), now="this counts as a new installation")
    return str(ULID()), 0
