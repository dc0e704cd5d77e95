"""A unit's uplink in a process of its own, which may be killed at any moment and started again.

It raises `INCIDENTS` incidents of `REVISIONS` revisions each, interleaved, and writes down which step it has finished:
after a kill it goes on with the step that it may or may not have finished, under the same ids, as a real unit raises a
call again whose button is still held. What it has written down is on its disk, and must arrive.

    python -m tests.uplink.chaos.agent_alone FOLDER PORT INCIDENTS PACE_S
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Final

from agent import journal
from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.paths import ALTERNATE, PRIMARY
from tests.uplink.chaos.small_unit import small_unit

REVISIONS: Final = 3
APART: Final = 4
"""Steps between two revisions of an incident: others come in between."""
CATEGORIES: Final = (Category.HELP, Category.INTRUDER, Category.FAULT, Category.NOISE)
FINISHED: Final = "finished"
STEPS: Final = "steps"
LOOK_S: Final = 0.05


def steps(incidents: int) -> list[tuple[int, int]]:
    """What is raised, in order: incident and revision."""
    every = [
        (number + APART * (revision - 1), number, revision) for number in range(incidents) for revision in (1, 2, 3)
    ]
    return [(number, revision) for _, number, revision in sorted(every)]


def category_of(number: int) -> Category:
    """What an incident is about."""
    return CATEGORIES[number % len(CATEGORIES)]


def alert_id_of(number: int) -> str:
    """What an incident is called."""
    return f"chaos-{number:05d}"


async def live(folder: Path, port: int, incidents: int, pace_s: float) -> None:
    """Raise what is left to raise, and carry until all of it is delivered."""
    log = folder / STEPS
    done = len(log.read_bytes()) if log.exists() else 0
    rng = random.Random(done)
    endpoint = Endpoint.build(f"mqtt://127.0.0.1:{port}", insecure_lab=True)
    ways = {PRIMARY: endpoint, ALTERNATE: endpoint}  # each connection has faults of its own
    async with small_unit(folder, ways, puback_within_s=3.0, keepalive_s=3.0) as unit:
        with log.open("ab", buffering=0) as written:
            for number, revision in steps(incidents)[done:]:
                unit.raise_alert(alert_id_of(number), revision, category_of(number))
                await unit.outbox.flushed()
                written.write(b".")
                await asyncio.sleep(rng.uniform(0, 2 * pace_s))  # the pace of what happens, not a wait for anything
        while unit.courier.pending:  # noqa: ASYNC110 - until the receiver has all of it
            await asyncio.sleep(LOOK_S)
    (folder / FINISHED).write_text(str(unit.courier.sent), encoding="utf-8")


if __name__ == "__main__":
    journal.set_up()
    where, at, count, pace = sys.argv[1:]
    asyncio.run(live(Path(where), int(at), int(count), float(pace)))
