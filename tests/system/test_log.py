"""Whoever reads the log may stop reading: the unit goes on, counts what is missed, and tells when it is read again."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from agent.signals import Category, Outcome
from fakes.town import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town

MISTAKES = {f"there-is-no-such-setting-as-number-{number}": number for number in range(200)}
"""Each is a line of the log when the unit is told to read its file again."""


class LogReader:
    """Reads a unit's log through a pipe, as journald does, and stops when it is told to."""

    def __init__(self) -> None:
        self._read, self.write = os.pipe()
        self._may_read = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-reader")
        self._said = b""

    async def __aenter__(self) -> Self:
        self._thread.start()
        self._may_read.set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._may_read.set()
        os.close(self.write)  # the unit has ended: the last to hold it
        await asyncio.to_thread(self._thread.join)
        os.close(self._read)

    @property
    def log(self) -> str:
        """What was read so far."""
        return self._said.decode(errors="replace")

    def stop_reading(self) -> None:
        """Read no more, and leave no room in the pipe."""
        self._may_read.clear()
        fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)
        mine = os.open(f"/proc/self/fd/{self.write}", os.O_WRONLY | os.O_NONBLOCK)  # the unit's own end goes on to wait
        try:
            while True:
                os.write(mine, b"\n")
        except BlockingIOError:
            os.close(mine)

    def read_on(self) -> None:
        """Read all that comes."""
        self._may_read.set()

    async def says(self, pattern: str) -> re.Match[str]:
        """Wait until it has read this."""
        async with asyncio.timeout(LIMIT_S):
            while (found := re.search(pattern, self.log)) is None:  # noqa: ASYNC110 - a pipe cannot set an event
                await asyncio.sleep(0.05)
        return found

    def _run(self) -> None:
        while True:
            self._may_read.wait()
            if not (some := os.read(self._read, 4096)):
                return
            self._said += some


def log_facts(town: Town) -> dict[str, Any]:
    (unit,) = town.control_room.desk.units.values()
    facts: dict[str, Any] = unit.heartbeat.get("health", {}).get("log", {})
    return facts


async def test_a_call_goes_through_while_nobody_reads_the_log_and_the_loss_is_told(
    town_with: Callable[..., Town],
) -> None:
    async with LogReader() as reader, town_with(uplink={"heartbeat_s": 1.0}) as town:
        town.unit.log_to = reader.write
        await town.start_unit()
        await town.control_room.wait_for(lambda _: log_facts(town), LIMIT_S)
        await reader.says("life_began")
        reader.stop_reading()
        await town.street.press("panic-1")
        waiting = await town.alert(Category.HELP)
        await town.control_room.close_alert(waiting.alert_id, Outcome.TEST, "a test", "op-1")
        await town.control_room.wait_for(lambda _: waiting.closed, LIMIT_S)
        good = town.config_file.read_text(encoding="utf-8")
        town.write_config(**MISTAKES)
        async with asyncio.timeout(LIMIT_S):
            while not log_facts(town)["lost"]:
                asked_s = time.monotonic()
                town.unit.reload()
                await town.unit.told("STATUS=The new configuration has errors", since_s=asked_s)
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP, after=frozenset({waiting.alert_id}))
        assert not call.late
        fault = await town.alert(Category.FAULT)
        assert "Nobody has read the log" in fault.latest.data["headline"]

        town.config_file.write_text(good, encoding="utf-8")
        reader.read_on()
        told = await reader.says(r"event=log_lines_lost lines=(\d+) total=(\d+)")
        assert int(told[1]) == int(told[2]) > 0
        await town.control_room.wait_for(lambda _: log_facts(town) == {"waiting": 0, "lost": int(told[2])}, LIMIT_S)
        await town.control_room.wait_for(lambda _: fault.latest.data["state"] == "closed", LIMIT_S)
        assert f"alert_id={waiting.alert_id}" in reader.log, "what waited is there"
