"""Who may use a connection's places."""

from __future__ import annotations

import pytest

from agent.signals import Category
from agent.uplink.lanes import SLOW_S, Lane, Places, lane_of


def fill(places: Places, lane: Lane) -> int:
    """Take all places that a lane gets; how many."""
    taken = 0
    while places.free_for(lane):
        places.take(lane)
        taken += 1
    return taken


def test_whatever_else_is_under_way_a_help_call_has_a_place() -> None:
    places = Places(20)
    for lane in sorted(Lane, reverse=True)[:-1]:
        fill(places, lane)
    assert places.free_for(Lane.HELP)


@pytest.mark.parametrize("lane", [Lane.INTRUDER, Lane.FAULT, Lane.STILL, Lane.REST])
def test_no_backlog_takes_the_place_of_what_is_more_important(lane: Lane) -> None:
    places = Places(20)
    fill(places, lane)
    more_important = {Lane.FAULT: Lane.TALK, Lane.INTRUDER: Lane.HELP}.get(lane, Lane(lane - 1))
    assert places.free_for(more_important) or lane is Lane.REST
    assert places.free_for(Lane.TALK)
    assert places.free_for(Lane.HELP)


def test_heartbeats_go_while_a_backlog_drains_but_do_not_take_all_that_is_left() -> None:
    places = Places(20)
    fill(places, Lane.INTRUDER)
    assert fill(places, Lane.TALK) == 2
    assert places.free_for(Lane.HELP)


def test_acknowledgements_have_most_places_where_there_is_nothing_else() -> None:
    assert fill(Places(20), Lane.TALK) >= 16


def test_one_still_at_a_time() -> None:
    assert fill(Places(20), Lane.STILL) == 1


@pytest.mark.parametrize("capacity", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("lane", Lane)
def test_a_broker_that_takes_few_at_a_time_still_gets_everything(capacity: int, lane: Lane) -> None:
    places = Places(capacity)
    assert places.free_for(lane)
    assert 1 <= fill(places, lane) <= capacity


def test_a_slow_network_gets_a_smaller_backlog_and_a_quick_one_all_of_it_again() -> None:
    places = Places(20)
    taken = fill(places, Lane.INTRUDER)
    for _ in range(taken):
        places.give_back(Lane.INTRUDER, 0.0, SLOW_S + 1.0)
    assert places.pace == 10  # what left together is one lesson, not sixteen
    for round_ in range(1, 8):
        places.take(Lane.INTRUDER)
        places.give_back(Lane.INTRUDER, 10.0 * round_, 10.0 * round_ + SLOW_S + 1.0)
    assert places.pace == 1
    assert places.free_for(Lane.INTRUDER)
    for _ in range(30):
        places.take(Lane.INTRUDER)
        places.give_back(Lane.INTRUDER, 500.0, 500.1)
    assert places.pace == 20


def test_a_slow_network_takes_no_place_from_help() -> None:
    places = Places(20)
    places.take(Lane.INTRUDER)
    places.give_back(Lane.INTRUDER, 0.0, 60.0)
    assert fill(places, Lane.HELP) == 20


def test_every_category_has_its_lane() -> None:
    assert [lane_of(category) for category in Category] == [
        Lane.HELP,
        Lane.INTRUDER,
        Lane.FAULT,
        Lane.FAULT,
        Lane.REST,
        Lane.REST,
    ]
