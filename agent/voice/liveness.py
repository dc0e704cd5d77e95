"""How the hearing stands, in figures: what the heartbeat shows of the listener. Pure: readings in, facts out."""

from __future__ import annotations

from dataclasses import dataclass

from agent.hw.kit import BLOCK_MS

TOLD_EVERY_S = 10.0
"""Of sound. Several times within the shortest heartbeat interval that is of use, and long enough for CPU time, which
the kernel may count in steps of 4 to 10 ms, to be a figure."""


@dataclass(frozen=True)
class Heard:
    """One block that was heard to its end."""

    ended_s: float
    """When its last sample was taken, on CLOCK_MONOTONIC."""
    lost: int
    """Blocks that were lost just before it."""
    level_dbfs: float
    recognised_s: float
    """Seconds of sound that the recogniser was given with it: more than the block when the gate opened."""


@dataclass(frozen=True)
class Cost:
    """What the listener's process has used."""

    cpu_s: float
    """Seconds of all its threads since it began."""
    resident_mb: float


class Liveness:
    """Gathers `TOLD_EVERY_S` of sound, over and over."""

    def __init__(self, cost: Cost) -> None:
        """Nothing heard yet; what was used until now is not counted."""
        self._since_s: float | None = None
        self._lost = 0
        self._begin(cost)

    def _begin(self, cost: Cost) -> None:
        self._cpu_s = cost.cpu_s
        self._blocks = 0
        self._recognised_s = 0.0
        self._floor_dbfs = 0.0
        self._ceiling_dbfs = -float("inf")

    def heard(self, block: Heard) -> bool:
        """Count a block; returns whether it is time for the `facts`."""
        if self._since_s is None:
            self._since_s = block.ended_s - BLOCK_MS / 1000
        self._last = block
        self._blocks += 1
        self._lost += block.lost
        self._recognised_s += block.recognised_s
        self._floor_dbfs = min(self._floor_dbfs, block.level_dbfs)
        self._ceiling_dbfs = max(self._ceiling_dbfs, block.level_dbfs)
        return block.ended_s - self._since_s >= TOLD_EVERY_S

    def facts(self, cost: Cost, recogniser_age_s: float) -> dict[str, float | int]:
        """The figures since the last time, by name with unit; then gathers anew. Only after `heard`."""
        sound_s = self._blocks * BLOCK_MS / 1000
        since_s = self._last.ended_s - (self._since_s or 0.0)
        facts: dict[str, float | int] = {
            "blocksPerS": round(self._blocks / since_s, 2),
            "blocksLost": self._lost,
            "levelDbfs": round(self._last.level_dbfs, 1),
            "floorDbfs": round(self._floor_dbfs, 1),
            "ceilingDbfs": round(self._ceiling_dbfs, 1),
            "realTimeFactor": round((cost.cpu_s - self._cpu_s) / sound_s, 4),
            # the gate gives a little of the sound before it too: at its opening more than the whole of a window
            "recognisedShare": round(min(1.0, self._recognised_s / sound_s), 3),
            "recogniserAgeS": round(recogniser_age_s, 1),
            "residentMb": round(cost.resident_mb, 1),
        }
        self._since_s = self._last.ended_s
        self._begin(cost)
        return facts
