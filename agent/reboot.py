"""How the unit asks for a restart of its machine, and what it remembers of that over the restart.

The daemon has no privilege: it leaves a request in its runtime folder, and `safepoint-reboot.path` sees it come. That
service decides by a count of its own (`systemd/decide-reboot`), so a daemon that was taken over gains nothing. Files
are touched by threads that may hang with their disk; nobody waits for them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from agent.apart import apart
from agent.durable import put_whole
from agent.helpers.last_rung import Ask, History

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Moment

log = structlog.get_logger()
T = TypeVar("T")

REQUEST = "reboot-request"
HISTORY = "reboots.json"
ANSWERS_WITHIN_S = 5.0
"""A disk that takes longer hangs (as in `agent.uplink.storage`)."""

_HISTORY = TypeAdapter(History)


class RebootImpossible(Exception):
    """It cannot be asked for, or not be remembered; as the end of a sentence."""


class RebootDesk:
    """The request and the memory of earlier ones. What hangs or fails is a `RebootImpossible`."""

    def __init__(self, state_folder: Path, runtime_folder: Path | None) -> None:
        self._history = state_folder / HISTORY
        self._request = None if runtime_folder is None else runtime_folder / REQUEST

    @classmethod
    def of_environment(cls, state_folder: Path) -> RebootDesk:
        """The one whose requests systemd sees, by its `RuntimeDirectory=`; outside systemd nobody sees them."""
        runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
        return cls(state_folder, Path(runtime) if runtime else None)

    async def history(self) -> History:
        """What earlier boots asked for; one that cannot be read is taken for the worst."""
        try:
            return await _apart(lambda: _load(self._history))
        except RebootImpossible as unknown:
            log.warning("reboot_history_unknown", reason=str(unknown))
            return History.unknown()

    async def remember(self, history: History) -> None:
        """Keep it for the boots to come; on return it outlives a power cut.

        Raises:
            RebootImpossible: the disk does not take it.
        """
        content = _HISTORY.dump_json(history)
        await _apart(lambda: put_whole(self._history, content, 0o600))

    async def ask(self, history: History, now: Moment, reason: str) -> History:
        """Ask for a restart, after it was counted; returns the history with it.

        Raises:
            RebootImpossible: it was not asked for.
        """
        request = self._request
        if request is None:
            msg = "no service manager is here to ask"
            raise RebootImpossible(msg)
        wall = now.wall.isoformat(timespec="seconds")
        asked = history.asked(Ask(now.boot_id, now.monotonic_s, wall, reason))
        await self.remember(asked)  # what cannot be counted is not done
        content = f"boot={now.boot_id}\nreason={reason}\ntime={wall}\n".encode()
        await _apart(lambda: put_whole(request, content, 0o644))  # readable by the service, which is another user
        return asked


def _load(path: Path) -> History:
    """The history of a file; none when there is no file."""
    try:
        return _HISTORY.validate_json(path.read_bytes())
    except FileNotFoundError:
        return History()
    except ValidationError as error:
        msg = f"{path} is damaged: {error}"
        raise RebootImpossible(msg) from error


async def _apart(work: Callable[[], T]) -> T:
    """Do this in a thread of its own, which is left alone when it hangs.

    Raises:
        RebootImpossible: it failed, or did not end in time.
    """
    try:
        return await apart(work, name="reboot-desk", within_s=ANSWERS_WITHIN_S)
    except TimeoutError as late:
        msg = "the disk does not answer"
        raise RebootImpossible(msg) from late
    except OSError as error:
        raise RebootImpossible(str(error)) from error
