"""Samples, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Spread:
    """How samples lie, in milliseconds."""

    n: int
    p50_ms: float
    p99_ms: float
    """Of fewer than 100 samples, the worst."""

    @classmethod
    def of(cls, samples_s: Sequence[float]) -> Spread:
        """Sum up samples in seconds."""
        ordered = sorted(samples_s)
        return cls(len(ordered), median(ordered) * 1000, ordered[ceil(0.99 * len(ordered)) - 1] * 1000)


@dataclass(frozen=True)
class Row:
    """One line of the bench's table."""

    what: str
    figure: str
    aim: str = ""


def spread_row(what: str, spread: Spread, aim: str = "") -> Row:
    """A row for samples."""
    return Row(what, f"p50 {spread.p50_ms:.2f} ms, p99 {spread.p99_ms:.2f} ms (n={spread.n})", aim)
