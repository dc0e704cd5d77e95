"""`./dev bench`: what the README says in figures. A speed is a ratio to a reference in the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from agent import journal
from agent.signals import Category
from agent.uplink.topics import UnitTopics
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM, Broker
from fakes.town import LIMIT_S, ORG, Town
from tests.bench.alarm_path import measure, unit_with, with_helpers
from tests.bench.bare_paho import publish_to_puback_s, publish_to_subscriber_s
from tests.bench.beside_motion import beside_motion_rows
from tests.bench.figures import Row, Spread, spread_row
from tests.bench.footage_path import footage_path_rows
from tests.bench.processes import pss_mb
from tests.bench.still_path import still_rows
from tests.bench.uplink_path import uplink_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.control_room.room import ControlRoom

PARTS = ALARM, UPLINK, FOOTAGE = "alarm", "uplink", "footage"
WIDTH = 170
"""Columns of the table: three figures stand side by side in a row."""


async def alarm_path_rows(folder: Path, count: int) -> list[Row]:
    """Edge to lamp, to the broker and to the control room, beside bare paho."""
    settled, _ = await measure(folder / "a", count)
    unsettled = {"name": "panic-1", "kind": "button", "pin": 17, "settle_ms": 0}
    direct, town = await measure(folder / "b", count, inputs=[unsettled])
    journal_line = json.dumps(next(iter(town.control_room.alerts.values())).first.data)
    puback_s, subscriber_s = await _bare_paho(folder / "c", journal_line.encode(), count)
    bare, there = Spread.of(puback_s), Spread.of(subscriber_s)
    room = Spread.of(direct.to_control_room_s)
    path, lamp = Spread.of(direct.to_broker_s), Spread.of(settled.to_lamp_s)
    return [
        spread_row("bare paho: publish -> PUBACK, QoS 1, mTLS, same payload (reference)", bare),
        spread_row("edge -> PUBACK, without settling time", path),
        Row("... as a ratio to bare paho, p50", f"{path.p50_ms / bare.p50_ms:.1f}x", "<= 3x"),
        spread_row("edge -> PUBACK, with 4 ms settling time", Spread.of(settled.to_broker_s)),
        spread_row("bare paho: publish -> another client, QoS 1, mTLS, same payload (reference)", there),
        spread_row("edge -> control room, without settling time", room),
        Row(
            "... as a ratio to bare paho, p50 and p99",
            f"{room.p50_ms / there.p50_ms:.1f}x, {room.p99_ms / there.p99_ms:.1f}x",
            "p50 <= 3x",
        ),
        spread_row("edge -> control room, with 4 ms settling time", Spread.of(settled.to_control_room_s)),
        spread_row("edge -> lamp, with 4 ms settling time", lamp, "p99 <= 10 ms"),
    ]


async def _bare_paho(folder: Path, payload: bytes, count: int) -> tuple[list[float], list[float]]:
    """The reference, to the broker's acknowledgement and to another client: seconds."""
    authority = Authority(folder / "authority")
    unit = UnitTopics(ORG, "bench")
    async with Broker(folder / "broker", authority, org=ORG) as broker:
        here, there = authority.issue_client(unit.unit), authority.issue_client(CONTROL_ROOM)
        way = (unit.alert(Category.TEST), payload, count)
        puback_s = await asyncio.to_thread(publish_to_puback_s, broker.port, here, *way)
        return puback_s, await asyncio.to_thread(publish_to_subscriber_s, broker.port, (here, there), *way)


async def helper_rows(folder: Path, count: int) -> list[Row]:
    """The alarm path with helpers at work, dead, hung and absent."""
    states = {"at work": None, "killed": signal.SIGKILL, "hung (SIGSTOP)": signal.SIGSTOP}
    rows = []
    for number, (state, how) in enumerate(states.items()):
        presses = await with_helpers(folder / f"h{number}", count, how)
        rows.append(
            spread_row(f"edge -> control room, recorder and listener {state}", Spread.of(presses.to_control_room_s))
        )
    absent, _ = await measure(folder / "absent", count)
    rows.append(spread_row("edge -> control room, recorder and listener absent", Spread.of(absent.to_control_room_s)))
    return rows


async def footprint_rows(folder: Path) -> list[Row]:
    """Memory of a whole shop unit at work, and its time from start to armed."""
    at_work = unit_with(voice={"enabled": True}, camera={"enabled": True}, uplink={"heartbeat_s": 1.0})
    town = Town(folder / "m", "safe-space", at_work)
    async with town:
        armed_s = await town.start_unit()
        await town.control_room.wait_for(_helpers_have_worked, LIMIT_S)
        sizes = {"daemon": town.unit.pid} | town.unit.children()
        memory = {name: pss_mb(pid) for name, pid in sizes.items()}
    parts = ", ".join(f"{name} {size:.0f} MB" for name, size in memory.items())
    return [
        Row("start -> armed", f"{armed_s:.1f} s", "<= 5 s"),
        Row("resident memory (PSS), 1280x720 at 15 frames a second", f"{sum(memory.values()):.0f} MB ({parts})"),
    ]


def _helpers_have_worked(room: ControlRoom) -> bool:
    """Both helpers have done their work for ten seconds: models are loaded, buffers are full."""
    for unit in room.desk.units.values():
        helpers = unit.heartbeat.get("helpers", {})
        if helpers and helpers["recorder"]["done"] >= 10 * 15 and helpers["listener"]["done"] >= 10 * 10:
            return True
    return False


async def alarm_rows(folder: Path, count: int) -> list[Row]:
    """All about an alarm's way out."""
    return [
        *await alarm_path_rows(folder, count),
        *await helper_rows(folder, count),
        *await still_rows(folder, count),
        *await footprint_rows(folder),
    ]


def footage_rows(folder: Path) -> list[Row]:
    """All about footage: what storing and cutting cost, and the whole recorder beside another one."""
    return [*footage_path_rows(folder), *beside_motion_rows(folder)]


def bench(parts: Sequence[str], count: int) -> None:
    """Measure these parts and print them."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with (folder / "bench.log").open("w", encoding="utf-8") as log_file:
            journal.set_up(log_file)
            if ALARM in parts:
                rows += asyncio.run(alarm_rows(folder, count))
            if UPLINK in parts:
                (folder / UPLINK).mkdir()
                rows += asyncio.run(uplink_rows(folder / UPLINK))
            if FOOTAGE in parts:
                rows += footage_rows(folder)
    table = Table(
        "measured here, now", "figure", "aim", title=f"{platform.machine()}, Python {platform.python_version()}"
    )
    for row in rows:
        table.add_row(row.what, row.figure, row.aim)
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    arguments.add_argument("part", nargs="?", choices=PARTS, help="only this part")
    arguments.add_argument("--presses", type=int, default=100, help="button presses a row (100)")
    given = arguments.parse_args()
    bench((given.part,) if given.part else PARTS, max(10, given.presses))
