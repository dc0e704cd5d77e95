"""A small storm; `./dev chaos` is the large one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.uplink.chaos.agent_alone import REVISIONS
from tests.uplink.chaos.run import chaos

if TYPE_CHECKING:
    from pathlib import Path

INCIDENTS = 20


async def test_a_storm_of_faults_and_kills_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    verdict = await chaos(tmp_path, incidents=INCIDENTS, faults=8, kills=3, seed=5, say=lambda _: None)
    assert verdict.agent_kills >= 1
    assert verdict.broker_kills >= 1
    assert verdict.incidents == INCIDENTS
    assert verdict.revisions == verdict.raised == INCIDENTS * REVISIONS
    assert not verdict.lost
    assert not verdict.foreign
    assert not verdict.out_of_order
