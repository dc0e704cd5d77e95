"""Presses of a real daemon's button over a rough network with TLS, and kill -9 in the middle: one call for each press.

The unit alone chooses here what its calls are named. A call that is raised again after a kill under another name, or
sent again as another one, is a second incident on the desk, and counted as such. The unit has a worn card, which takes
its time for each commit: so there is a while in which a call is on the desk and not on the card.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.signals import Category, Outcome
from agent.uplink.disk import FILE_NAME
from fakes.town import Town
from tests.system.conftest import SENSES_ONLY
from tests.uplink.chaos.rough_network import CALM, End, Fault, RoughNetwork
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.alerts import Alert
    from agent.control_room.room import ControlRoom

BUTTON: Final = "panic-1"
HEARTBEAT_S: Final = 2.0
"""So that a half-open connection is found within seconds."""
COMMIT_S: Final = 0.1
"""Of the worn card."""
LATEST_KILL_S: Final = 0.15
"""Press to alert delivered takes about 15 ms on a calm network: a kill comes at a moment of chance around that, or at
the very moment at which the call is on the desk."""
HANDSHAKE_BYTES: Final = 6000
"""TLS handshake, CONNECT and the first messages, both ways together, are about as long."""
WITHIN_S: Final = 240.0
REPORT_EVERY: Final = 10
_OPEN: Final = "SELECT 1 FROM memories WHERE alert_id = ? AND json_extract(state, '$.incident._phase') != 'closed'"
_WORN_CARD: Final = """
import time
from agent.uplink.disk import Disk
apply = Disk.apply
def applied_late(disk, changes):
    time.sleep({commit_s})
    apply(disk, changes)
Disk.apply = applied_late
"""


@dataclass
class Presses:
    """What came of them."""

    pressed: int = 0
    kills: int = 0
    broken: int = 0
    """Connections that the network ended."""
    calls: set[str] = field(default_factory=set)
    """Ids of all help calls that the control room ever heard of."""
    doubled: list[str] = field(default_factory=list)
    """Presses that made more than one call, and which."""
    lost: list[int] = field(default_factory=list)
    """Presses of which no call came."""

    @property
    def held(self) -> bool:
        """Whether each press made exactly one call."""
        return not self.doubled and not self.lost and len(self.calls) == self.pressed


async def presses(folder: Path, *, count: int, kills: int, seed: int, say: Callable[[str], None]) -> Presses:
    """Press so often, with faults around each press, and kill the unit in so many of them."""
    rng = random.Random(seed)
    seen, journal = Presses(), folder / "messages.jsonl"
    deadly = set(rng.sample(range(count), kills))
    town = Town(folder, "safe-space", SENSES_ONLY, journal=journal)
    async with (
        RoughNetwork(town.broker.port, reads_mqtt=False) as first,
        RoughNetwork(town.broker.port, reads_mqtt=False) as second,
    ):
        alternate = {"broker": f"mqtts://localhost:{second.port}"}
        broker = f"mqtts://localhost:{first.port}"
        town.rebuild(uplink={"broker": broker, "alternate": alternate, "heartbeat_s": HEARTBEAT_S})
        async with town:
            card = worn_card(folder)
            await town.start_unit(**card)
            for number in range(count):
                before = {*calls_in(journal)}
                for network in (first, second):
                    fault(rng, network)
                if number in deadly:
                    call = await _press_and_kill(town, card, rng, frozenset(before))
                    seen.kills += 1
                else:
                    await town.street.press(BUTTON)
                    call = await _call(town, frozenset(before))
                seen.pressed += 1
                for network in (first, second):
                    network.next_connections()
                    network.always = CALM
                if call is None:
                    seen.lost.append(number)
                    continue
                await _over(town, frozenset(before))
                if len(new := calls_in(journal) - before) > 1:
                    seen.doubled.append(f"press {number}: {', '.join(sorted(new))}")
                if number % REPORT_EVERY == 0:
                    say(f"{seen.pressed} presses, {seen.kills} kills, {len(calls_in(journal))} calls")
            # What a double would be sent late with is on the desk too before it is counted.
            await town.control_room.wait_for(_has_nothing_left, WITHIN_S)
            seen.calls = calls_in(journal)
            seen.broken = first.ended + second.ended
    return seen


def fault(rng: random.Random, network: RoughNetwork) -> None:
    """One network does something: to the connection that there is, to the next ones, or to all."""
    match rng.choice(["strike", "stall", "always", "handshake", "handshake", "nothing"]):
        case "strike":
            network.strike(rng.choice([*End]))
        case "stall":
            network.stall(rng.uniform(0.1, 1.5))
        case "always":
            network.always = rng.choice([Fault(delay_s=0.1), Fault(piece=64, pause_s=0.002)])
            network.strike(End.RESET)
        case "handshake":
            network.next_connections(Fault(end=rng.choice([*End]), end_after=rng.randint(1, HANDSHAKE_BYTES)))
            network.strike(End.RESET)
        case _:
            pass


def calls_in(journal: Path) -> set[str]:
    """The ids of all help calls in a control room's journal, however they came."""
    found = set()
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else ():
        message = json.loads(line)
        if "/alert/" in message["topic"] or "/incident/" in message["topic"]:
            data = (message["payload"] or {}).get("data", {})
            if data.get("category") == Category.HELP:
                found.add(data["alertId"])
    return found


def worn_card(folder: Path) -> dict[str, str]:
    """The environment of a daemon whose outbox lies on a slow card."""
    its_own = folder / "worn-card"
    its_own.mkdir()
    (its_own / "sitecustomize.py").write_text(_WORN_CARD.format(commit_s=COMMIT_S), encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(its_own), os.environ.get("PYTHONPATH")]))}


async def _press_and_kill(town: Town, card: dict[str, str], rng: random.Random, before: frozenset[str]) -> Alert | None:
    """A person keeps pressing until something happens; what happens here is that the unit dies and comes back."""
    await town.street.hold(BUTTON)
    with contextlib.suppress(TimeoutError):  # the moment of the kill, unless the call was quicker
        await _look_for(town, before, rng.uniform(0, LATEST_KILL_S))
    town.unit.kill()
    await town.unit.ended()
    await town.unit.start(**card)
    await town.unit.ready()
    call = await _call(town, before)
    await town.street.let_go(BUTTON)
    return call


async def _call(town: Town, before: frozenset[str]) -> Alert | None:
    """The call that was not there before; None: it never came."""
    try:
        return await _look_for(town, before, WITHIN_S)
    except TimeoutError:
        return None


async def _look_for(town: Town, before: frozenset[str], within_s: float) -> Alert:
    """Wait for a call.

    Raises:
        TimeoutError: none came in time.
    """
    return (await town.control_room.wait_for(lambda room: _new(room, before), within_s))[0]


async def _over(town: Town, before: frozenset[str]) -> None:
    """Close what the press made, and wait until the unit has said so and written it down: the next one is a new call.

    One that comes before that, and a kill before that is on the card, leave a call on the desk which the unit forgot:
    what it wakes up with is the earlier call, still open, and the button that is held belongs to that.
    """
    room, asked = town.control_room, set[str]()
    async with asyncio.timeout(WITHIN_S):
        while not (closed := [each for each in _new(room, before) if each.latest.data["state"] == "closed"]):
            for each in _new(room, before):  # where a press made two, the unit knows one of them only
                if each.outgrown or each.alert_id not in asked:  # an operator judges again what grew meanwhile
                    asked.add(each.alert_id)
                    await room.close_alert(each.alert_id, Outcome.TEST, "chaos", "chaos")
            await room.changed()
    await until(lambda: all(_is_closed_on_card(town, each.alert_id) for each in closed), "its end is on the card")


def _new(room: ControlRoom, before: frozenset[str]) -> list[Alert]:
    """The calls that were not there before."""
    new = (alert for alert in room.alerts.values() if alert.alert_id not in before)
    return [alert for alert in new if alert.category is Category.HELP]


def _has_nothing_left(room: ControlRoom) -> bool:
    return all(unit.heartbeat.get("outbox", {}).get("pending") == 0 for unit in room.desk.units.values())


def _is_closed_on_card(town: Town, alert_id: str) -> bool:
    """Look at a copy of the card, as the daemon has locked its file: what it would wake up with if it were killed."""
    with tempfile.TemporaryDirectory(prefix="card-") as name:
        for file in town.state_folder.glob(f"{FILE_NAME}*"):
            shutil.copy(file, name)
        with contextlib.closing(sqlite3.connect(Path(name) / FILE_NAME)) as card:
            return not card.execute(_OPEN, (alert_id,)).fetchall()
