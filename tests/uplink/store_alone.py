"""An outbox in a process of its own, on a card that may lose its power: says how many events are safe on it.

python -m tests.uplink.store_alone FOLDER EVENTS
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from agent.signals import Category
from agent.uplink.outbox import Outbox
from tests.uplink.lab import Complaints, LabClock, tell

STEP_S: Final = 8.64
"""Between two events: 10,000 of them are a day."""
BATCH: Final = 100
CATEGORIES: Final = (Category.HELP, Category.INTRUDER, Category.FAULT, Category.NOISE, Category.NOISE)


async def store(folder: Path, events: int) -> None:
    """Keep so many events, and say each time what the disk has taken."""
    clock, complaints = LabClock(), Complaints()
    outbox = await Outbox.open(folder, events, clock, on_trouble=complaints.trouble, on_over=complaints.end)
    for number in range(events):
        clock.pass_s(STEP_S)
        outbox.keep([tell(f"day-{number:05d}", 1, clock.now(), CATEGORIES[number % len(CATEGORIES)])])
        if number % BATCH == BATCH - 1:
            await outbox.flushed()
            print(number + 1, flush=True)  # noqa: T201 - to whoever cuts the power
    await asyncio.Event().wait()  # until the power fails


if __name__ == "__main__":
    asyncio.run(store(Path(sys.argv[1]), int(sys.argv[2])))
