"""A few presses; `./dev chaos storm` does many."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.uplink.chaos.presses import presses

COUNT, KILLS = 3, 2


@pytest.mark.timeout(1200)  # a daemon starts again and again, and half-open connections have to be found
async def test_a_press_is_one_call_whatever_the_network_and_kill_9_do() -> None:
    with tempfile.TemporaryDirectory(prefix="press-") as name:  # a path short enough for sockets
        seen = await presses(Path(name), count=COUNT, kills=KILLS, seed=4, say=lambda _: None)
    assert seen.doubled == []
    assert seen.lost == []
    assert len(seen.calls) == seen.pressed == COUNT
    assert seen.kills == KILLS
    assert seen.broken >= 1
