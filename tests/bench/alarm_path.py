"""Presses a panic button many times and follows each one: to the lamp, to the broker, to the control room."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.signals import Category, Outcome
from fakes.town import LIMIT_S, Town
from tests.bench.bare_paho import PAUSE_S

if TYPE_CHECKING:
    import signal
    from pathlib import Path

    from agent.control_room.alerts import Alert

PANIC = {"name": "panic-1", "kind": "button", "pin": 17}
WITHOUT_HELPERS = {"voice": {"enabled": False}, "camera": {"enabled": False}}
ARMED_BY_HAND = {"arming": {"mode": "manual", "windows": []}}


@dataclass
class Presses:
    """What was measured, in seconds; one sample a press."""

    to_lamp_s: list[float] = field(default_factory=list)
    to_broker_s: list[float] = field(default_factory=list)
    to_control_room_s: list[float] = field(default_factory=list)
    payload: bytes = b""
    """The last alert, as it came."""


async def press_many(town: Town, count: int) -> Presses:
    """Press, wait until the alert came, close it; each press is a call of its own."""
    presses, calls = Presses(), []
    for _ in range(count):
        await asyncio.sleep(PAUSE_S)  # what the press before gave rise to is over; caches cool down
        before = town.known()
        pressed_s = await town.street.hold("panic-1")
        presses.to_lamp_s.append(await town.street.lamp_is(lit=True, since_s=pressed_s) - pressed_s)
        call = await town.alert(Category.HELP, after=before)
        await town.street.let_go("panic-1")
        presses.to_control_room_s.append(call.first.received.monotonic_s - pressed_s)
        calls.append(call)
        await town.control_room.close_alert(call.alert_id, Outcome.TEST, "bench", "bench")
        await _closed(town, call)
    for call in calls:
        found = re.search(rf"alert_id={call.alert_id} revision=1 .*edge_to_broker_ms=([\d.]+)", town.unit.log)
        if found:
            presses.to_broker_s.append(float(found[1]) / 1000)
    return presses


async def _closed(town: Town, call: Alert) -> None:
    await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
    await town.street.lamp_is(lit=False)


def unit_with(**sections: Any) -> dict[str, Any]:  # noqa: ANN401 - sections of a YAML file
    """A shop's unit with one panic button that lights the lamp at once."""
    return {**ARMED_BY_HAND, **WITHOUT_HELPERS, "inputs": [PANIC], **sections}


async def measure(folder: Path, count: int, **sections: Any) -> tuple[Presses, Town]:  # noqa: ANN401
    """Presses on a unit with these sections changed."""
    town = Town(folder, "safe-space", unit_with(**sections))
    async with town:
        await town.start_unit()
        return await press_many(town, count), town


async def with_helpers(folder: Path, count: int, how: signal.Signals | None) -> Presses:
    """Presses while recorder and listener work, or are killed or stopped before each tenth of the presses."""
    town = Town(folder, "safe-space", unit_with(voice={"enabled": True}, camera={"enabled": True}))
    presses = Presses()
    async with town:
        await town.start_unit()
        await town.street.connected("camera")
        await town.street.connected("microphone")
        for _ in range(10):
            if how is not None:
                for pid in town.unit.children().values():
                    os.kill(pid, how)
            presses.to_control_room_s += (await press_many(town, count // 10)).to_control_room_s
    return presses
