"""Every rung is counted, and what counts as work is work alone."""

from __future__ import annotations

import pytest

from agent.helpers.ladder import OUTSIDE, Ladder
from agent.helpers.patience import OUTSIDE_FOR_S, PROVED_EVERY_S, STARTED_WITHIN_S, TROUBLED_FOR_S, Patience
from agent.helpers.talk import AT_ONCE, LINES_PER_S, Talk


def test_a_first_process_is_no_rung_and_every_further_one_is() -> None:
    ladder = Ladder(began_s=100.0)
    ladder.process_started()
    assert ladder.facts()["process"] == 0
    ladder.process_started()
    ladder.process_started()
    assert ladder.facts()["process"] == 2


def test_rungs_since_the_last_work_are_what_was_tried_and_the_totals_stay() -> None:
    ladder = Ladder(began_s=100.0)
    ladder.process_started()
    ladder.pipeline_restarted()
    ladder.worked(110.0)
    ladder.pipeline_restarted()
    ladder.pipeline_restarted()
    ladder.process_started()
    standing = ladder.standing(140.0)
    assert (standing.silent_s, standing.pipeline, standing.process) == (30.0, 2, 1)
    assert ladder.facts() == {"pipeline": 3, "process": 1, "reboot": 0, "unkillable": 0}


def test_a_helper_that_never_worked_is_silent_since_it_was_first_waited_for() -> None:
    ladder = Ladder(began_s=100.0)
    ladder.process_started()
    ladder.process_started()
    assert ladder.standing(700.0).silent_s == 600.0


def test_the_oldest_process_that_cannot_be_killed_counts_until_it_is_gone() -> None:
    ladder = Ladder(began_s=0.0)
    ladder.cannot_kill(7, 10.0)
    ladder.cannot_kill(8, 50.0)
    assert ladder.standing(100.0).unkillable_s == 90.0
    ladder.ended_after_all(7)
    assert ladder.standing(100.0).unkillable_s == 50.0
    ladder.ended_after_all(8)
    assert ladder.standing(100.0).unkillable_s is None


def test_a_trouble_outlives_the_process_that_told_it_by_one_that_says_nothing() -> None:
    ladder = Ladder(began_s=0.0)
    ladder.process_started()
    ladder.troubled("disk-full")
    ladder.process_started()  # not yet heard of: what stood may still stand
    assert ladder.standing(1.0).causes == {"disk-full"}
    ladder.process_started()  # that one ended without a word of it
    assert ladder.standing(2.0).causes == set()


def test_a_trouble_that_is_over_is_no_cause_whoever_told_it() -> None:
    ladder = Ladder(began_s=0.0)
    ladder.process_started()
    ladder.troubled("disk-full")
    ladder.troubled("camera-lost")
    ladder.untroubled("camera-lost")
    assert ladder.standing(1.0).causes == {"disk-full"}
    ladder.process_started()
    ladder.worked(2.0)
    assert ladder.standing(2.0).causes == set()


def test_a_process_proves_itself_in_time_or_is_taken_for_hung() -> None:
    patience = Patience(100.0)
    assert patience.due_s == 100.0 + STARTED_WITHIN_S
    patience.proved(105.0)
    assert patience.due_s == 105.0 + PROVED_EVERY_S


def test_each_process_that_never_proved_itself_leaves_the_next_one_twice_the_time() -> None:
    granted_s = [Patience(100.0, in_vain).due_s - 100.0 for in_vain in (0, 1, 2, 3, 4, 2000)]
    assert granted_s == [20.0, 40.0, 80.0, 160.0, 160.0, 160.0]


@pytest.mark.parametrize("outside", sorted(OUTSIDE))
def test_a_trouble_gives_time_and_one_that_no_process_can_mend_gives_more(outside: str) -> None:
    patience = Patience(100.0)
    patience.proved(105.0)
    patience.troubled("camera-lost")
    assert patience.due_s == 105.0 + TROUBLED_FOR_S
    patience.troubled(outside)
    assert patience.due_s == 105.0 + OUTSIDE_FOR_S


def test_the_last_frames_before_a_camera_was_lost_are_no_proof_that_it_is_back() -> None:
    patience = Patience(100.0)
    patience.proved(105.0)
    patience.troubled("camera-lost")
    patience.proved(106.0)
    assert patience.due_s == 106.0 + TROUBLED_FOR_S
    patience.proved(107.0)
    assert patience.due_s == 107.0 + PROVED_EVERY_S, "one that works with a trouble is watched as any other"


def test_the_end_of_the_last_trouble_asks_for_work_soon() -> None:
    patience = Patience(100.0)
    patience.proved(105.0)
    patience.troubled("camera-lost")
    patience.troubled("disk-slow")
    patience.untroubled("disk-slow", 120.0)
    assert patience.due_s == 105.0 + TROUBLED_FOR_S, "the camera is still lost"
    patience.untroubled("camera-lost", 130.0)
    assert patience.due_s == 130.0 + PROVED_EVERY_S


def test_troubles_that_come_and_go_without_work_are_not_waited_for_for_ever() -> None:
    patience = Patience(100.0)
    patience.proved(100.0)
    for now_s in range(100, 1000, 2):
        patience.troubled("camera-lost")
        patience.untroubled("camera-lost", now_s + 1)
        if patience.due_s <= now_s + 1:
            break
    assert patience.due_s == 100.0 + TROUBLED_FOR_S + PROVED_EVERY_S


def test_a_helper_may_say_much_at_once_and_little_for_long() -> None:
    talk = Talk(0.0)
    assert all(talk.hear(0.0) for _ in range(AT_ONCE))
    assert not talk.hear(0.0)
    steady = Talk(0.0)
    assert all(steady.hear(line / LINES_PER_S) for line in range(10 * AT_ONCE))
    faster = Talk(0.0)
    assert not all(faster.hear(line / LINES_PER_S / 2) for line in range(10 * AT_ONCE))
