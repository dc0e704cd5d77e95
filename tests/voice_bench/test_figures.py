"""The unit and the others are compared over the same talk, and over the phrases that all of them take at once."""

from __future__ import annotations

from tests.voice_bench.engines import OURS, SPHINX
from tests.voice_bench.figures import SPHINX_AIM, SPHINX_EQUAL, contenders, only
from tests.voice_bench.hits import Hit
from tests.voice_bench.phrase_sets import SHIPPED, phrase_set
from tests.voice_bench.plans import NEAR_MISS
from tests.voice_bench.runs import Run
from tests.voice_bench.tape import Call


def a_run(engine: str, hits: list[Hit], calls: tuple[Call, ...] = (), *, shared: bool = True) -> Run:
    place, voices = ("10 dB SNR", "readers") if calls else (NEAR_MISS, "")
    return Run(engine, SHIPPED, place, voices, "", "", calls, tuple(hits), 3600.0, 1.0, shared)


def hits(*scores: float) -> list[Hit]:
    return [Hit("help-me", 20.0 * number, 20.0 * number, score) for number, score in enumerate(scores, 1)]


def test_ours_is_compared_in_what_the_others_heard_too() -> None:
    runs = [a_run(OURS, hits(1, 1)), a_run(OURS, hits(1, 1, 1), shared=False)]
    (ours,) = contenders(runs, SHIPPED)
    assert (ours.false().events, ours.false().hours) == (2, 1)
    assert (ours.false(shared=False).events, ours.false(shared=False).hours) == (5, 2)


def test_pocketsphinx_may_be_set_off_as_often_as_ours() -> None:
    calls = tuple(Call("help-me", "somebody", at - 1.0, at) for at in (20.0, 40.0, 60.0, 80.0))
    runs = [
        a_run(OURS, hits(1, 1)),
        a_run(SPHINX, hits(0.9, 0.8, 0.7)),
        a_run(SPHINX, hits(0.95, 0.85, 0.75, 0.65), calls),
    ]
    by_title = {each.title: each for each in contenders(runs, SHIPPED)}
    assert (by_title[SPHINX_AIM].false().events, by_title[SPHINX_AIM].recall().part) == (0, 1)
    assert (by_title[SPHINX_EQUAL].false().events, by_title[SPHINX_EQUAL].recall().part) == (2, 3)


def test_phrases_that_count_twice_only_are_left_out_of_calls_and_of_false_activations_alike() -> None:
    sign = phrase_set(SHIPPED)
    (twice,) = set(sign.labels.values()) - sign.once
    calls = tuple(Call(label, "somebody", 1.0, 2.0) for label in sign.labels.values())
    heard = [Hit(label, 2.0, 2.4, 1.0) for label in sign.labels.values()]
    left = only(a_run(OURS, heard, calls), sign.once)
    assert {call.label for call in left.calls} == {hit.label for hit in left.hits} == sign.once
    assert twice not in sign.once
