"""A process that removes the oldest footage, segment by segment: `python -m tests.footage.prune_alone FOLDER`."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from agent.clock import SystemClock
from agent.footage.keep.retention import DAY_S, Retention
from agent.footage.keep.space import HeldOnly, Space
from agent.footage.store.index import FootageIndex
from agent.footage.store.volume import Volume


class Tightening:
    """A disk that lacks room for one segment more each time."""

    def __init__(self, segments: Path) -> None:
        self._segments = segments
        self._allowed = self._there()

    def tighten(self) -> None:
        """One less than there are."""
        self._allowed = self._there() - 1

    def free(self, _: Path) -> int:
        """Room for one byte when there are few enough."""
        return 1 if self._there() <= self._allowed else 0

    def _there(self) -> int:
        return sum(1 for _ in self._segments.iterdir())


if __name__ == "__main__":
    footage = Path(sys.argv[1])
    index = FootageIndex(footage / "index.sqlite", footage / "segments")
    bounds = Retention(10**9, 10**9, 0, 31 * DAY_S, 31 * DAY_S)
    disk = Tightening(footage / "segments")
    space = Space(Volume(footage), index, bounds, clock=SystemClock(), tell=lambda _: None, free=disk.free)
    dice = random.Random(3)
    try:
        while True:
            disk.tighten()
            space.make_room(1)
            time.sleep(dice.uniform(0, 0.008))  # the two fall out of step, and no lock is fair
    except HeldOnly:
        index.close()
