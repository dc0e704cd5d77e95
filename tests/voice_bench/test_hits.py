"""How the voice bench counts."""

from __future__ import annotations

import pytest

from tests.voice_bench.hits import Hit, best_shares, incidents, judge, loud_enough, poisson_interval, threshold_for
from tests.voice_bench.tape import Call

HELP, POLICE = "help-me", "call-the-police"
SAID = Call(HELP, "somebody", start_s=9.4, end_s=10.0)


def hit(label: str, ended_s: float, score: float = 1.0) -> Hit:
    return Hit(label, ended_s, decided_s=ended_s + 0.4, score=score)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (2, 0.2422, 7.2247), (10, 4.7954, 18.3904), (100, 81.3640, 121.6273)],
)
def test_the_interval_of_a_rate_is_the_exact_one_of_the_tables(events: int, low: float, high: float) -> None:
    assert poisson_interval(events) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize("ended_s", [9.5, 10.0, 12.0])
def test_a_call_is_heard_by_its_label_from_half_a_second_before_its_end_to_two_after(ended_s: float) -> None:
    judged = judge([SAID], [hit(HELP, ended_s)])
    assert [call for call, _ in judged.caught] == [SAID]
    assert not judged.missed
    assert not judged.false


@pytest.mark.parametrize("ended_s", [9.4, 12.1])
def test_the_right_label_at_another_time_is_a_false_activation_and_the_call_is_missed(ended_s: float) -> None:
    judged = judge([SAID], [hit(HELP, ended_s)])
    assert judged.missed == [SAID]
    assert len(judged.false) == 1


def test_another_label_at_the_time_of_a_call_is_wrong_but_not_false() -> None:
    judged = judge([SAID], [hit(POLICE, 10.0)])
    assert judged.missed == [SAID]
    assert [each.label for each in judged.wrong] == [POLICE]
    assert not judged.false


def test_a_call_heard_twice_is_caught_once_with_the_earlier_decision() -> None:
    judged = judge([SAID], [hit(HELP, 10.1), hit(HELP, 10.0)])
    assert [found.ended_s for _, found in judged.caught] == [10.0]
    assert not judged.false


def test_a_burst_of_one_label_is_one_false_activation_as_sure_as_its_surest() -> None:
    bursts = incidents([hit(HELP, 1.0, 0.2), hit(HELP, 1.2, 0.9), hit(POLICE, 1.3, 0.5), hit(HELP, 7.0, 0.4)])
    assert [(each.label, each.ended_s, each.score) for each in bursts] == [
        (HELP, 1.0, 0.9),
        (POLICE, 1.3, 0.5),
        (HELP, 7.0, 0.4),
    ]


def test_a_threshold_lets_just_the_allowed_number_of_false_activations_through() -> None:
    scores = [0.1, 0.9, 0.5, 0.7]
    for allowed in range(5):
        least = threshold_for(scores, allowed)
        assert len(loud_enough([hit(HELP, 1.0, score) for score in scores], least)) == allowed


def test_the_allowed_false_activations_go_to_the_phrase_that_gains_most_calls() -> None:
    caught = {HELP: [0.3, 0.4, 0.8], POLICE: [0.55, 0.8]}
    false = {HELP: [0.9, 0.2], POLICE: [0.6, 0.5]}
    best = best_shares(
        {
            label: lambda threshold, label=label: sum(score >= threshold for score in caught[label])  # type: ignore[misc]
            for label in caught
        },
        false,
        allowed=1,
    )
    # One false "help me" lets three of its calls in; one false "call the police" only one more.
    assert {label: sum(score >= best[label] for score in false[label]) for label in false} == {HELP: 1, POLICE: 0}
