"""What the last minute and the last ten were like, from the levels of seconds. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.meter.meter import Second

LEVELS_OVER_S = 60.0
"""The time of LAeq and LAFmax: `laeq60DbA` of the heartbeat (standards.md 3.4)."""
FLOOR_OVER_S = 600.0
"""The time of LA90: what a loud event is compared with (standards.md 5: LA90,10min)."""
FLOOR_PERCENTILE = 10.0
"""The level exceeded for 90 % of the time."""


@dataclass(frozen=True)
class Levels:
    """A summary; dB of whatever the seconds were in."""

    laeq_db: float
    lafmax_db: float
    octaves_db: Mapping[str, float]
    measured_s: int
    """Seconds of the last `LEVELS_OVER_S` that were measured, which all of the above is over."""
    overloaded_s: int
    """Of these, seconds whose true levels are higher."""
    la90_db: float
    floor_measured_s: int
    """Seconds of the last `FLOOR_OVER_S` that were measured, which LA90 is over."""


class Minutes:
    """The last minutes, second by second. A second that was not measured is missing, not quiet."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[float, Second]] = deque()

    def add(self, second: Second, ended_s: float) -> None:
        """Take a second that ended at this moment; what is too old by then is forgotten."""
        self._seconds.append((ended_s, second))
        while self._seconds[0][0] <= ended_s - FLOOR_OVER_S:
            self._seconds.popleft()

    def levels(self, now_s: float) -> Levels | None:
        """The levels of the time up to now; None when nothing of the last minute was measured."""
        background = [second for ended_s, second in self._seconds if ended_s > now_s - FLOOR_OVER_S]
        minute = [second for ended_s, second in self._seconds if ended_s > now_s - LEVELS_OVER_S]
        if not minute:
            return None
        laf_db = [level_db for second in background for level_db in second.laf_db]
        return Levels(
            laeq_db=energy_mean_db(second.laeq_db for second in minute),
            lafmax_db=max(second.lafmax_db for second in minute),
            octaves_db={
                band: energy_mean_db(second.octaves_db[band] for second in minute) for band in minute[0].octaves_db
            },
            measured_s=len(minute),
            overloaded_s=sum(second.overloaded for second in minute),
            la90_db=float(np.percentile(laf_db, FLOOR_PERCENTILE)),
            floor_measured_s=len(background),
        )


def energy_mean_db(levels_db: Iterable[float]) -> float:
    """The level of the mean energy."""
    return 10 * float(np.log10(np.mean(10 ** (np.array([*levels_db]) / 10))))
