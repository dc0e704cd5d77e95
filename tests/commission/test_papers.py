"""What is typed about papers is refused where it cannot be so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.commission import papers
from agent.commission.papers import NotSo

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("number", ["NP1234X", "12/3456", "ab-99", "A1B"])
def test_a_urn_is_kept_as_it_was_typed(number: str) -> None:
    assert papers.urn(number) == number


@pytest.mark.parametrize(
    ("of", "typed", "why"),
    [
        (papers.urn, "NP 1234", "no spaces"),
        (papers.urn, "NP\t1234", "no spaces"),
        (papers.urn, "", "letters and digits"),
        (papers.urn, "NP1234\N{RIGHT-TO-LEFT OVERRIDE}", "letters and digits"),
        (papers.urn, "N" * 21, "letters and digits"),
        (papers.reference, "--", "plain characters"),
        (papers.reference, "<b>\N{SNOWMAN}</b>", "plain characters"),
        (papers.day, "31.12.2027", "2027-03-31"),
        (papers.day, "2027-13-45", "there is no day 2027-13-45"),
        (papers.metres, "nan", "more than 0"),
        (papers.metres, "inf", "at most 1000"),
        (papers.metres, "far", "in metres"),
        (papers.degrees, "360", "0 to 359"),
        (papers.degrees, "nan", "0 to 359"),
        (papers.point, "640", "two numbers"),
    ],
)
def test_what_cannot_be_so_is_refused_in_words(of: Callable[[str], object], typed: str, why: str) -> None:
    with pytest.raises(NotSo, match=why):
        of(typed)


@pytest.mark.parametrize(("typed", "word"), [("live", "live"), ("l", "live"), ("W", "withdrawn")])
def test_the_beginning_of_a_word_is_enough(typed: str, word: str) -> None:
    assert papers.choice(typed, "live", "applied", "withdrawn") == word


@pytest.mark.parametrize("typed", ["", "x", "lives"])
def test_another_word_is_none(typed: str) -> None:
    with pytest.raises(NotSo, match="one of"):
        papers.choice(typed, "live", "applied", "withdrawn")


@pytest.mark.parametrize(("typed", "metres"), [("2", 2.0), ("2.5 m", 2.5), ("2,5", 2.5)])
def test_metres_are_typed_as_people_type_them(typed: str, metres: float) -> None:
    assert papers.metres(typed) == metres
