"""Which changes of a contact count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.hw.debounce import Change, Debounce

SETTLE_S = 0.004
MS = 0.001


def play(contact: Debounce, edges: list[tuple[bool, float]], until_s: float) -> list[Change]:
    """Feed all edges as a loop that is late would: at once, and settle only at the end."""
    changes = [change for active, at_s in edges for change in contact.edge(at_s, active=active)]
    return changes + contact.settle(until_s)


def bouncing(*, to: bool, start_s: float, gaps_s: list[float]) -> list[tuple[bool, float]]:
    """A contact that goes `to` and comes back for each pair of gaps, and ends at `to`."""
    edges = [(to, start_s)]
    at_s = start_s
    for i, gap_s in enumerate(gaps_s[: len(gaps_s) // 2 * 2]):
        at_s += gap_s
        edges.append((to == bool(i % 2), at_s))
    return edges


def test_a_press_of_30_ms_counts_even_when_the_loop_is_late() -> None:
    changes = play(Debounce(SETTLE_S), [(True, 1.0), (False, 1.030)], until_s=2.0)

    assert changes == [Change(active=True, began_s=1.0), Change(active=False, began_s=1.030)]


def test_a_press_counts_as_soon_as_the_level_held_and_not_before() -> None:
    contact = Debounce(SETTLE_S)

    assert contact.edge(1.0, active=True) == []
    assert contact.due() == pytest.approx(1.004)
    assert contact.settle(1.0039) == []
    assert contact.settle(contact.due() or 0.0) == [Change(active=True, began_s=1.0)]
    assert contact.due() is None


def test_ten_bounces_within_a_millisecond_are_one_press() -> None:
    edges = bouncing(to=True, start_s=1.0, gaps_s=[0.05 * MS] * 20)

    assert play(Debounce(SETTLE_S), edges, until_s=1.2) == [Change(active=True, began_s=1.0)]


def test_chatter_longer_than_the_settle_time_is_one_press_from_its_first_edge() -> None:
    edges = bouncing(to=True, start_s=1.0, gaps_s=[0.25 * MS] * 20)

    assert edges[-1][1] - edges[0][1] == pytest.approx(0.005)
    assert play(Debounce(SETTLE_S), edges, until_s=1.2) == [Change(active=True, began_s=1.0)]


def test_a_spike_of_1_ms_never_happened() -> None:
    contact = Debounce(SETTLE_S)

    assert play(contact, [(True, 1.0), (False, 1.001)], until_s=2.0) == []
    assert contact.due() is None


def test_an_old_spike_does_not_date_a_later_press() -> None:
    edges = [(True, 1.0), (False, 1.001), (True, 5.0)]

    assert play(Debounce(SETTLE_S), edges, until_s=6.0) == [Change(active=True, began_s=5.0)]


def test_a_gap_of_1_ms_in_a_long_press_is_no_release() -> None:
    edges = [(True, 1.0), (False, 1.5), (True, 1.501)]

    assert play(Debounce(SETTLE_S), edges, until_s=2.0) == [Change(active=True, began_s=1.0)]


def test_an_edge_that_tells_nothing_new_does_not_start_the_wait_again() -> None:
    contact = Debounce(SETTLE_S)
    contact.edge(1.0, active=True)

    contact.edge(1.003, active=True)

    assert contact.due() == pytest.approx(1.004)


def test_without_settle_time_every_edge_counts_at_once() -> None:
    contact = Debounce(0.0)

    assert contact.edge(1.0, active=True) == [Change(active=True, began_s=1.0)]
    assert contact.edge(1.0, active=False) == [Change(active=False, began_s=1.0)]


gaps = st.lists(st.floats(min_value=1e-6, max_value=SETTLE_S / 9), max_size=8)
"""Up to eight bounces that together last less than the settle time."""


@given(press=gaps, release=gaps, hold_s=st.floats(min_value=0.013, max_value=100.0), late_s=st.floats(0, 10))
def test_any_bounce_shorter_than_the_settle_time_gives_one_press_and_one_release(
    press: list[float], release: list[float], hold_s: float, late_s: float
) -> None:
    down = bouncing(to=True, start_s=10.0, gaps_s=press)
    up = bouncing(to=False, start_s=10.0 + hold_s, gaps_s=release)

    changes = play(Debounce(SETTLE_S), down + up, until_s=up[-1][1] + SETTLE_S + MS + late_s)

    assert changes == [Change(active=True, began_s=10.0), Change(active=False, began_s=10.0 + hold_s)]


@given(
    edges=st.lists(st.tuples(st.booleans(), st.floats(min_value=1e-5, max_value=0.1)), max_size=60),
    settle_s=st.sampled_from([0.0, 0.001, 0.004, 0.025]),
)
def test_presses_and_releases_alternate_and_the_last_level_wins(
    edges: list[tuple[bool, float]], settle_s: float
) -> None:
    contact = Debounce(settle_s)
    at_s = 0.0
    changes: list[Change] = []
    for active, gap_s in edges:
        at_s += gap_s
        changes += contact.edge(at_s, active=active)
    changes += contact.settle(at_s + 1.0)

    assert [change.active for change in changes] == [i % 2 == 0 for i in range(len(changes))]
    assert [change.began_s for change in changes] == sorted(change.began_s for change in changes)
    assert contact.active == (edges[-1][0] if edges else False)
