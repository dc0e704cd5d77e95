"""Commands on a real daemon with a camera: each comes to `done`, and what it was for is there."""

from __future__ import annotations

import asyncio
import hashlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.control_room import commands
from agent.control_room.command_line import understood
from agent.footage.keep.holds import Holds
from agent.signals import Category
from agent.uplink.jsonable import timestamp
from fakes.town import LIMIT_S, UNIT_ID
from tests.system.test_evidence import CAMERA, FOOTAGE, PRE_S, has_filmed, shown
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from fakes.town import Town

SUPERVISOR = "sup-1"
RIGHTS = {"members": {"operator": [{}], "supervisor": [{"operator": SUPERVISOR}]}}
BEATS_EVERY_S = 1.0
FRAME_S = 1 / 15
"""The last picture of a clip lasts until the next one."""


async def result_of(town: Town, line: str) -> dict[str, Any]:
    """Have a command carried out to its end, which has to be `done`; returns what came of it."""
    room = town.control_room
    async with asyncio.timeout(LIMIT_S):
        command = understood(f"{UNIT_ID} {line}", room.desk.units)
        answers = [data async for data in room.command(command, SUPERVISOR)]
    assert (answers[0]["status"], answers[-1]["status"]) == ("accepted", "done")
    return answers[-1]["result"] or {}


async def beat(town: Town, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Wait for a heartbeat of which this is true."""
    (unit,) = town.control_room.desk.units.values()
    await town.control_room.wait_for(lambda _: unit.heartbeat and holds(dict(unit.heartbeat)), LIMIT_S)
    return dict(unit.heartbeat)


def recorder_of(daemon: int) -> int | None:
    """The process of the recorder that this daemon started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        if parent == daemon and b"agent.helpers" in words and b"recorder" in words:
            return int(folder.name)
    return None


async def test_each_command_is_done_and_its_effect_is_there(
    town_with: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "ANSWER_WITHIN_S", LIMIT_S)
    uplink = {"heartbeat_s": BEATS_EVERY_S}
    async with town_with(camera=CAMERA, footage=FOOTAGE, commands=RIGHTS, uplink=uplink) as town:
        await town.start_unit()
        await has_filmed(town, 2 * PRE_S)
        footage = town.config.footage_folder
        end, end_s = datetime.now(UTC), time.monotonic()
        interval = f"from={timestamp(end - timedelta(seconds=PRE_S))} to={timestamp(end)}"

        clip = await result_of(town, f"clip {interval}")
        stored = footage / clip["file"]
        assert hashlib.sha256(stored.read_bytes()).hexdigest() == clip["sha256"]
        first_s, last_s = shown(stored)
        assert (first_s <= end_s - PRE_S, last_s >= end_s - FRAME_S) == (True, True)

        assert (await result_of(town, f"footage-hold {interval} ref=case-1 reason=asked"))["segments"] > 0
        (hold,) = Holds(footage).all()
        assert (hold.ref, hold.by, hold.reason) == ("case-1", SUPERVISOR, "asked")
        await result_of(town, "footage-release ref=case-1 reason=over")
        assert Holds(footage).all() == []

        await result_of(town, "unset")
        await beat(town, lambda facts: facts["arm"] == "unset")
        await result_of(town, "set")
        await beat(town, lambda facts: facts["arm"] == "set")

        await result_of(town, "quiet-cause cause=tamper-1 forS=600")
        await town.street.open()
        told = await beat(town, lambda facts: [each for each in facts.get("quiet", ()) if each["heldBack"]])
        assert [(each["cause"], each["by"]) for each in told["quiet"]] == [("tamper-1", SUPERVISOR)]
        assert Category.TAMPER not in {alert.category for alert in town.control_room.alerts.values()}

        before = recorder_of(town.unit.pid)
        await result_of(town, "restart-part part=recorder")
        after = recorder_of(town.unit.pid)
        assert None not in {before, after}
        assert before != after
        await until(lambda: not Path(f"/proc/{before}").exists(), "the recorder before is gone")
