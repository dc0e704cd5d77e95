"""What is said of a path, and when."""

from __future__ import annotations

from agent.config.sending import HEARTBEAT_S
from agent.uplink.client_mark import ClientMark
from agent.uplink.path_watch import (
    LOST_AFTER_S,
    PROVE_EVERY_S,
    RECALL_AFTER_S,
    UNHEARD_AFTER_S,
    UNPROVED_AFTER_S,
    PathEvent,
    PathWatch,
    proves_itself,
    wants_proof,
)
from agent.uplink.paths import LOOK_EVERY_S, alarm_manners
from tests.uplink.lab import make_config

FOUND_AFTER_S = 50.0
"""A half-open connection without traffic: twice the keep-alive of 25 s."""


def test_a_lost_path_is_named_within_90_s_once_and_its_return_is_told() -> None:
    watch = PathWatch(("primary", "alternate"), 0.0)
    told = []
    for second in range(400):
        up = {"primary": True, "alternate": not FOUND_AFTER_S <= second < 300}
        told += [(second, *event) for event in watch.look(up, float(second))]
    assert [(name, event) for _, name, event in told] == [
        ("alternate", PathEvent.LOST),
        ("alternate", PathEvent.WILL_TOLD),
        ("alternate", PathEvent.BACK),
    ]
    assert told[0][0] <= 90
    assert told[1][0] == FOUND_AFTER_S + RECALL_AFTER_S
    assert told[2][0] == 300


def test_a_silent_path_of_an_idle_unit_is_named_within_90_s_with_the_keep_alive_that_units_have() -> None:
    usual, rarest = make_config(), make_config(heartbeat_s=HEARTBEAT_S[1])
    for config in (usual, rarest):
        assert 2 * alarm_manners(config, ClientMark()).keepalive_s + LOST_AFTER_S + LOOK_EVERY_S <= 90.0
    assert 2 * alarm_manners(usual, ClientMark()).keepalive_s == FOUND_AFTER_S


def test_a_path_that_never_came_up_is_lost_too() -> None:
    watch = PathWatch(("primary",), 0.0)
    assert watch.look({"primary": False}, LOST_AFTER_S - 1) == []
    assert watch.look({"primary": False}, LOST_AFTER_S) == [("primary", PathEvent.LOST)]


def test_a_short_gap_is_not_told() -> None:
    watch = PathWatch(("primary",), 0.0)
    assert watch.look({"primary": True}, 1.0) == []
    assert watch.look({"primary": False}, 2.0) == []
    assert watch.look({"primary": True}, LOST_AFTER_S) == []
    assert watch.look({"primary": False}, LOST_AFTER_S + 3) == []


def test_a_path_at_whose_end_nobody_listens_is_named_within_90_s_once_and_so_is_the_first_who_does() -> None:
    watch, both = PathWatch(("primary", "alternate"), 0.0), {"primary": True, "alternate": True}
    told = []
    for second in range(400):
        unheard = {"primary": None, "alternate": 100.0 if 100 <= second < 300 else None}
        told += [(second, *event) for event in watch.look(both, float(second), unheard)]
    assert told == [
        (100 + int(UNHEARD_AFTER_S), "alternate", PathEvent.UNHEARD),
        (300, "alternate", PathEvent.HEARD),
    ]
    assert UNHEARD_AFTER_S + 25.0 <= 90.0


def test_a_path_that_is_down_is_lost_and_not_also_unheard() -> None:
    watch = PathWatch(("primary",), 0.0)
    events = [watch.look({"primary": False}, float(second), {"primary": 0.0}) for second in range(200)]
    assert [event for told in events for _, event in told] == [PathEvent.LOST, PathEvent.WILL_TOLD]


def test_each_path_is_proved_within_15_minutes_and_does_not_count_without() -> None:
    assert wants_proof(None, 0.0)
    assert not wants_proof(100.0, 100.0 + PROVE_EVERY_S - 1)
    assert wants_proof(100.0, 100.0 + PROVE_EVERY_S)
    assert PROVE_EVERY_S + 25.0 <= 900.0
    assert not proves_itself(None, 0.0)
    assert proves_itself(0.0, UNPROVED_AFTER_S - 1)
    assert not proves_itself(0.0, UNPROVED_AFTER_S)
