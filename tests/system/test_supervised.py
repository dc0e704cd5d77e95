"""The unit as its service manager sees it, with a listener on NOTIFY_SOCKET in systemd's place.

`./dev nspawn` has the real one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

from agent.signals import Category, Outcome
from agent.status_file import FILE_NAME, UnitStatus, read_status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town

LIMIT_S = 60.0
WATCHDOG_S = 4.0
"""On a unit it is 15 s; fed each second."""


async def silent(town: Town, within_s: float) -> None:
    """Wait until the watchdog was not fed for so long."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            fed_s = max(at_s for at_s, line in town.unit.notifications if line.startswith(("WATCHDOG=1", "READY=1")))
            if time.monotonic() - fed_s > within_s:
                return
            await asyncio.sleep(0.1)


async def shows(path: Path, wanted: Callable[[UnitStatus], bool]) -> UnitStatus:
    """Wait until the status file shows this."""
    async with asyncio.timeout(LIMIT_S):
        while (status := read_status(path)) is None or not wanted(status):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
    return status


async def test_a_hung_unit_is_ended_for_its_silence_and_the_next_one_knows_its_call(
    town_with: Callable[..., Town],
) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        hung = town.unit.pid
        os.kill(hung, signal.SIGSTOP)
        await silent(town, WATCHDOG_S)
        for sign in (signal.SIGABRT, signal.SIGCONT):  # as systemd does: what is stopped must go on to die
            os.kill(hung, sign)
        assert await town.unit.ended() == -signal.SIGABRT
        await town.unit.start()
        await town.unit.ready()
        assert town.unit.pid != hung
        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.control_room.close_alert(call.alert_id, Outcome.GENUINE, None, "op-1")
        await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)


async def test_the_unit_shows_other_programs_of_its_machine_how_it_stands(
    town_with: Callable[..., Town], folder: Path
) -> None:
    async with town_with() as town:
        await town.unit.start(RUNTIME_DIRECTORY=str(folder))
        await town.unit.ready()
        path = folder / FILE_NAME
        rest = await shows(path, lambda status: status.armed and status.connected)
        assert (rest.pid, rest.open_calls, rest.working) == (town.unit.pid, 0, ())
        await town.street.press("panic-1")
        await town.alert(Category.HELP)
        call = await shows(path, lambda status: status.open_calls == 1)
        assert call.written_s <= time.monotonic()
        assert path.stat().st_mode & 0o777 == 0o644, "the update, another user, reads it"
        await shows(path, lambda status: status.proofs > rest.proofs + 1)
        await town.broker.kill()
        await shows(path, lambda status: not status.connected)


def test_a_status_that_is_not_understood_is_none(tmp_path: Path) -> None:
    assert read_status(tmp_path / FILE_NAME) is None
    (tmp_path / FILE_NAME).write_text('{"version": "9.9.9"}')
    assert read_status(tmp_path / FILE_NAME) is None
