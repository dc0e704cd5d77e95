"""A unit whose software somebody changed keeps to itself (EN 303 645, 5.7-2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.health.software import CHANGED, PART
from tests.daemon.bare import bare_unit

if TYPE_CHECKING:
    from pathlib import Path


async def test_no_footage_is_uploaded_by_changed_software_until_it_is_right_again(tmp_path: Path) -> None:
    unit = bare_unit(tmp_path)
    barred = unit._media.uploads._barred
    assert barred() is None
    unit._decisions.faults[PART, "unchecked"] = "Nobody has looked."
    assert barred() is None, "not because nobody looked"
    unit._decisions.faults[PART, CHANGED] = "A file was changed."
    assert barred() == "the unit's software was changed"
    del unit._decisions.faults[PART, CHANGED]
    assert barred() is None
    stop = asyncio.Event()
    stop.set()
    await unit.run(stop)  # closes what it opened
