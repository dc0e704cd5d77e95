"""Whether a process's memory grows: a line through many looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from statistics import linear_regression

HOUR_S = 3600.0
LEAST_SAMPLES = 3


@dataclass
class Memory:
    """Looks at the memory of one process, in order, after it has warmed up."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the beginning, megabytes."""

    def look(self, at_s: float, megabytes: float) -> None:
        """Remember one look."""
        self.samples.append((at_s, megabytes))

    @property
    def slope_mb_h(self) -> float:
        """Growth by least squares, megabytes an hour; 0 while there are too few looks for a line."""
        if len(self.samples) < LEAST_SAMPLES:
            return 0.0
        times, sizes = zip(*self.samples, strict=True)
        return linear_regression(times, sizes).slope * HOUR_S

    @property
    def grown_mb(self) -> float:
        """How far the line rises over the whole time."""
        return self.slope_mb_h * self.span_s / HOUR_S

    @property
    def span_s(self) -> float:
        """From the first look to the last."""
        return sum(after[0] - before[0] for before, after in pairwise(self.samples))
