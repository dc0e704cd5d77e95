"""A command that is over is not carried out, whatever the unit's clock knows and however long the unit stood still."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.signals import CommandName
from agent.uplink import messages
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S
from tests.system.test_commands import DARK, FOREIGN, TOPICS, Listener, mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town

CLOCK = "import agent.clock; agent.clock.kernel_clock_synced = lambda: {synced}"
LIVES_S = 2
STOPPED_S = 5.0


@pytest.fixture(params=["set", "not set"])
def clock(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the kernel tells the unit about its clock: that of this machine may be either."""
    told: str = request.param
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(CLOCK.format(synced=told == "set"), encoding="utf-8")
    here = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), here, os.environ.get("PYTHONPATH", "")]))
    return told


def say(town: Town, *, age_s: float, lives_s: int) -> None:
    """Have a console publish `light`, made so long ago, and see that the broker has it."""
    made = SystemClock().now().wall - timedelta(seconds=age_s)
    command = messages.command(TOPICS, CONTROL_ROOM, made, CommandName.LIGHT, operator_ref="op-1", args={"forS": 1})
    expiry = ("-D", "publish", "message-expiry-interval", str(lives_s))
    answer = ("-D", "publish", "response-topic", FOREIGN)
    program = mosquitto(town, "mosquitto_pub", "-t", command.topic, "-s", *expiry, *answer)
    subprocess.run(program, input=command.publication().payload, check=True, timeout=LIMIT_S)


def answers(listener: Listener) -> list[tuple[str, str | None]]:
    said = [json.loads(payload)["data"] for payload in listener.on(FOREIGN)]
    return [(each["status"], each["code"]) for each in said]


async def test_a_command_that_is_over_is_refused(town_with: Callable[..., Town], clock: str) -> None:
    async with town_with(lamp=DARK) as town, Listener(town, FOREIGN) as listener:
        await town.start_unit()
        await town.control_room.wait_for(lambda room: all(unit.heartbeat for unit in room.desk.units.values()), LIMIT_S)
        (unit,) = town.control_room.desk.units.values()
        assert unit.heartbeat["clock"]["synced"] is (clock == "set")
        say(town, age_s=31, lives_s=30)
        await listener.until(lambda: len(answers(listener)) == 1, LIMIT_S)
        assert answers(listener) == [("refused", "expired")]

        os.kill(town.unit.pid, signal.SIGSTOP)
        try:
            say(town, age_s=0, lives_s=LIVES_S)
            say(town, age_s=0, lives_s=30)
            await asyncio.sleep(STOPPED_S)  # the time itself is what matters here
        finally:
            os.kill(town.unit.pid, signal.SIGCONT)
        await listener.until(lambda: ("done", None) in answers(listener), LIMIT_S)
        assert answers(listener)[1:] == [("refused", "expired"), ("accepted", None), ("running", None), ("done", None)]
        assert [change.lit for change in town.street.lamp_history][-2:] == [True, False]
        assert sum(change.lit for change in town.street.lamp_history) == 1, "only by the command that was in time"
