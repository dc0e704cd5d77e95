"""Places a hold on footage that was found a moment ago, and may have been removed since."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.footage.find.chronology import Part
    from agent.footage.keep.holds import Hold, Holds


def hold_what_is_there(holds: Holds, hold: Hold, found: Sequence[Part], folder: Path) -> list[Part]:
    """Place the hold, unless nothing of what was found is left; returns what is.

    Args:
        holds: Where to place it.
        hold: With the stretches of what was found.
        found: What was found.
        folder: Where the segments lie.

    Raises:
        HoldExists: its reference is in use.
        OSError: the disk does not take it, or (`TimeoutError`) footage was being removed all the time.
    """
    # Whoever removes footage waits for us in here, so only what may have changed since is looked at again.
    with holds.deciding():
        names = set(os.listdir(folder))  # noqa: PTH208 - names only: a month is 268,000 of them
        left = [replace(part, segments=[each for each in part.segments if each.name in names]) for part in found]
        parts = [part for part in left if part.segments]
        if parts:
            holds.place(hold)
    return parts
