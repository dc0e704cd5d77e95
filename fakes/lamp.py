"""Reads a lamp's pattern off its history, as a passer-by would."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from agent.signals import LightPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

UNCHANGED_S = 3.0
"""No change for so long is no blinking: the slowest pattern winks each two seconds."""
QUICK_S = 0.6
"""A phase of quick blinking is shorter."""
QUICK_PHASES = 4
"""So many quick phases in a row are blinking, and not a lamp that was switched on and off again."""
WINK_S = 0.6
"""A wink is dark for less than this."""
BETWEEN_WINKS_S = 1.0
"""Between winks the lamp is lit for more than this."""


class LampChange(NamedTuple):
    """The lamp changed."""

    at_s: float
    """On CLOCK_MONOTONIC."""
    lit: bool


def pattern_of(history: Sequence[LampChange], now_s: float) -> LightPattern | None:
    """What the lamp shows at the end of its history; None while that could still be this or that."""
    if not history:
        return None
    lit, age_s = history[-1].lit, now_s - history[-1].at_s
    if age_s >= UNCHANGED_S:
        return LightPattern.STEADY if lit else LightPattern.OFF
    recent = history[-1 - QUICK_PHASES :]
    lengths_s = [later.at_s - earlier.at_s for earlier, later in itertools.pairwise(recent)]
    if len(lengths_s) == QUICK_PHASES and max(*lengths_s, age_s) <= QUICK_S:
        return LightPattern.HEARD
    if lit and len(lengths_s) > 1 and lengths_s[-1] <= WINK_S and lengths_s[-2] >= BETWEEN_WINKS_S:
        return LightPattern.SEEN
    return None
