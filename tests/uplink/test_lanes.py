"""Who may use a connection's places."""

from __future__ import annotations

import pytest

from agent.signals import Category
from agent.uplink.lanes import SLOW_S, Lane, Places, lane_of


def proven(capacity: int) -> Places:
    """The places of a connection that has shown to be quick."""
    places = Places(capacity)
    for _ in range(capacity):
        places.take(Lane.REST)
        places.give_back(Lane.REST, 0.0, 0.1)
    return places


def fill(places: Places, lane: Lane) -> int:
    """Take all places that a lane gets; how many."""
    taken = 0
    while places.free_for(lane):
        places.take(lane)
        taken += 1
    return taken


def test_whatever_else_is_under_way_a_help_call_has_a_place() -> None:
    places = proven(20)
    for lane in sorted(Lane, reverse=True)[:-1]:
        fill(places, lane)
    assert places.free_for(Lane.HELP)


@pytest.mark.parametrize("lane", [Lane.INTRUDER, Lane.FAULT, Lane.STILL, Lane.REST])
def test_no_backlog_takes_the_place_of_what_is_more_important(lane: Lane) -> None:
    places = proven(20)
    fill(places, lane)
    more_important = {Lane.FAULT: Lane.TALK, Lane.INTRUDER: Lane.HELP}.get(lane, Lane(lane - 1))
    assert places.free_for(more_important) or lane is Lane.REST
    assert places.free_for(Lane.TALK)
    assert places.free_for(Lane.HELP)


def test_heartbeats_go_while_a_backlog_drains_but_do_not_take_all_that_is_left() -> None:
    places = proven(20)
    fill(places, Lane.INTRUDER)
    assert fill(places, Lane.TALK) == 2
    assert places.free_for(Lane.HELP)


def test_acknowledgements_have_most_places_where_there_is_nothing_else() -> None:
    assert fill(proven(20), Lane.TALK) >= 16


def test_one_still_at_a_time() -> None:
    assert fill(proven(20), Lane.STILL) == 1


@pytest.mark.parametrize("capacity", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("lane", Lane)
def test_a_broker_that_takes_few_at_a_time_still_gets_everything(capacity: int, lane: Lane) -> None:
    places = proven(capacity)
    assert places.free_for(lane)
    assert 1 <= fill(places, lane) <= capacity


@pytest.mark.parametrize("lane", [Lane.INTRUDER, Lane.FAULT, Lane.REST])
def test_a_new_connection_takes_few_of_a_backlog_until_it_has_shown_to_be_quick(lane: Lane) -> None:
    places = Places(20)
    assert fill(places, lane) == 2
    assert places.free_for(Lane.TALK)
    for _ in range(2):
        places.give_back(lane, 0.0, 0.1)
    assert fill(places, lane) == 4
    assert fill(places, Lane.HELP) == 16


def test_a_slow_network_gets_a_smaller_backlog_and_a_quick_one_all_of_it_again() -> None:
    places = proven(20)
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
    places = proven(20)
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
