"""Numbers that never came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.control_room.sequence import MOST_SPANS, SequenceWatch, Span


def test_the_first_number_is_where_watching_begins() -> None:
    watch = SequenceWatch()
    watch.saw(18_342)
    assert watch.missing == ()


def test_a_jump_is_a_gap_and_a_late_number_closes_it() -> None:
    watch = SequenceWatch()
    for number in (1, 5):
        watch.saw(number)
    gaps = [watch.missing]
    for number in (3, 2, 4):
        watch.saw(number)
        gaps.append(watch.missing)
    assert gaps == [(Span(2, 4),), (Span(2, 2), Span(4, 4)), (Span(4, 4),), ()]


def test_numbers_declared_as_skipped_are_not_missing_whether_told_before_or_after() -> None:
    for told_before in (True, False):
        watch = SequenceWatch()
        watch.saw(1)
        if told_before:
            watch.skip(Span(2, 6))
        watch.saw(9)
        if not told_before:
            watch.skip(Span(2, 6))
        assert watch.missing == (Span(7, 8),)


def test_an_absurd_number_costs_no_memory() -> None:
    watch = SequenceWatch()
    watch.saw(1)
    watch.saw(10**19)
    assert watch.missing == (Span(2, 10**19 - 1),)


def test_a_unit_that_leaves_out_every_other_number_costs_no_memory_and_no_gap_is_forgotten() -> None:
    watch = SequenceWatch()
    for number in range(1, 20_001, 2):
        watch.saw(number)
        watch.skip(Span(10**9 + 3 * number, 10**9 + 3 * number))
    assert len(watch.missing) == MOST_SPANS
    assert len(watch._skipped) == MOST_SPANS
    assert (watch.missing[0].first, watch.missing[-1].last) == (2, 19_998)


@given(st.lists(st.integers(1, 60), min_size=1), st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=4))
def test_what_is_missing_is_what_neither_came_nor_was_skipped(numbers: list[int], skips: list[tuple[int, int]]) -> None:
    watch = SequenceWatch()
    for number in numbers:
        watch.saw(number)
    for first, more in skips:
        watch.skip(Span(first, first + more))
    told = {number for span in watch.missing for number in range(span.first, span.last + 1)}
    skipped = {number for first, more in skips for number in range(first, first + more + 1)}
    assert told == set(range(numbers[0], max(numbers) + 1)) - set(numbers) - skipped
