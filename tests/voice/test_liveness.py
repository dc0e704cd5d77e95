"""What the heartbeat says of the hearing is what was heard."""

from __future__ import annotations

import pytest

from agent.voice.liveness import Cost, Heard, Liveness


def hear(liveness: Liveness, since_s: float, levels_dbfs: list[float], *, recognised_s: float = 0.0) -> list[bool]:
    """Ten blocks a second from then on; whether it was time for the facts after each."""
    return [
        liveness.heard(Heard(since_s + (count + 1) / 10, 0, level_dbfs, recognised_s))
        for count, level_dbfs in enumerate(levels_dbfs)
    ]


def test_the_facts_are_due_each_ten_seconds_of_sound() -> None:
    liveness = Liveness(Cost(3.0, 50.0))
    assert hear(liveness, 100.0, [-50.0] * 99) == [False] * 99
    assert hear(liveness, 109.95, [-50.0]) == [True]
    liveness.facts(Cost(3.1, 50.0), 0.0)
    assert hear(liveness, 110.05, [-50.0] * 99) == [False] * 99


def test_levels_rates_and_costs_are_those_of_the_window() -> None:
    liveness = Liveness(Cost(3.0, 50.0))
    hear(liveness, 100.0, [-50.0, -71.0, -12.0, -40.0] * 25, recognised_s=0.025)
    assert liveness.facts(Cost(3.2, 51.26), 77.0) == {
        "blocksPerS": 10.0,
        "blocksLost": 0,
        "levelDbfs": -40.0,
        "floorDbfs": -71.0,
        "ceilingDbfs": -12.0,
        "realTimeFactor": 0.02,
        "recognisedShare": 0.25,
        "recogniserAgeS": 77.0,
        "residentMb": 51.3,
    }
    hear(liveness, 110.0, [-45.0] * 100)
    after = liveness.facts(Cost(3.3, 51.26), 77.0)
    assert (after["floorDbfs"], after["ceilingDbfs"], after["realTimeFactor"]) == (-45.0, -45.0, 0.01)


def test_lost_blocks_and_gaps_show() -> None:
    liveness = Liveness(Cost(0.0, 0.0))
    hear(liveness, 100.0, [-50.0] * 50)
    liveness.heard(Heard(110.0, 50, -50.0, 0.1))
    facts = liveness.facts(Cost(0.0, 0.0), 0.0)
    assert facts["blocksPerS"] == pytest.approx(5.1)
    assert facts["blocksLost"] == 50


def test_a_gate_that_opens_gives_no_share_beyond_the_whole() -> None:
    liveness = Liveness(Cost(0.0, 0.0))
    liveness.heard(Heard(100.0, 0, -20.0, 0.5))
    assert liveness.facts(Cost(0.0, 0.0), 0.5)["recognisedShare"] == 1.0
