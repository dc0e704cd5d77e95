"""Quality goes in a stated order when the disk cannot keep up, and comes back slowly."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.footage.record.pacing import CALM_S, FALL_BEHIND_S, LEAST_FPS, LONGEST_CALM_S, SETTLE_S, STEPS, Pacing, rates
from agent.hw.kit import Rate

FULL = Rate(15, 2000)


def test_detail_goes_first_then_smoothness() -> None:
    assert rates(FULL) == (FULL, Rate(15, 1000), Rate(7, 500), Rate(7, 250))


@given(st.integers(6, 60), st.integers(100, 20_000))
def test_no_step_films_fewer_frames_than_a_force_takes_nor_more_than_the_step_before(fps: int, kbps: int) -> None:
    steps = rates(Rate(fps, kbps))
    assert all(LEAST_FPS <= later.fps <= earlier.fps for earlier, later in pairwise(steps))
    assert all(100 <= later.bitrate_kbps <= earlier.bitrate_kbps for earlier, later in pairwise(steps))


def after(pacing: Pacing, waiting_s: float, since_s: int, until_s: int) -> list[int]:
    """The steps taken while so much footage waits in each second of this time."""
    return [pacing.step for now_s in range(since_s, until_s) if pacing.look(waiting_s, now_s)]


def test_a_pause_as_every_card_makes_it_changes_nothing() -> None:
    assert after(Pacing(FULL), FALL_BEHIND_S - 0.1, 0, 1000) == []


def test_each_step_has_time_to_show_before_the_next_one() -> None:
    pacing = Pacing(FULL)
    assert after(pacing, FALL_BEHIND_S, 0, 1) == [1]
    assert after(pacing, FALL_BEHIND_S, 1, int(SETTLE_S)) == []
    assert after(pacing, FALL_BEHIND_S, int(SETTLE_S), int(SETTLE_S) + 1) == [2]
    assert after(pacing, FALL_BEHIND_S, 100, 1000) == [len(STEPS)]


def test_quality_comes_back_step_by_step_once_the_disk_has_kept_up_for_long() -> None:
    pacing = Pacing(FULL)
    after(pacing, FALL_BEHIND_S, 0, 8)
    assert pacing.step == 2
    assert after(pacing, 0.0, 8, 7 + int(CALM_S)) == []
    assert after(pacing, 0.0, 7 + int(CALM_S), 7 + 2 * int(CALM_S) + 2) == [1, 0]


def test_footage_that_waits_a_little_is_no_reason_to_film_better_yet() -> None:
    pacing = Pacing(FULL)
    after(pacing, FALL_BEHIND_S, 0, 1)
    assert after(pacing, 1.0, 1, 1000) == []


@pytest.mark.parametrize("rounds", [3, 20])
def test_a_card_at_its_limit_does_not_flap(rounds: int) -> None:
    pacing, now_s, waits = Pacing(FULL), 0.0, []
    for _ in range(rounds):
        assert pacing.look(FALL_BEHIND_S, now_s)
        began_s = now_s
        while pacing.step:
            now_s += 1
            pacing.look(0.0, now_s)
        waits.append(now_s - began_s)
        now_s += SETTLE_S
    assert waits == sorted(waits)
    assert waits[1] == 2 * waits[0] == 2 * CALM_S
    assert max(waits) <= LONGEST_CALM_S


def test_after_an_hour_at_full_quality_the_past_is_forgotten() -> None:
    pacing = Pacing(FULL)
    pacing._calm_s = LONGEST_CALM_S
    pacing.look(FALL_BEHIND_S, 0.0)
    after(pacing, 0.0, 1, 2 * int(LONGEST_CALM_S))
    assert pacing.step == 0
    pacing.look(FALL_BEHIND_S, 4 * LONGEST_CALM_S)
    assert after(pacing, 0.0, 4 * int(LONGEST_CALM_S) + 1, 4 * int(LONGEST_CALM_S) + int(CALM_S) + 2) == [0]
