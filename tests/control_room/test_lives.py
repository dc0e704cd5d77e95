"""Restarted, replaced, two at once: what the next life of a unit means, rule by rule."""

from __future__ import annotations

import re

import pytest

from agent.control_room.lives import STRAGGLES_S, LifeSeen, Lives, Turn

KNOWN = LifeSeen("boot-1", 12.0, "inst-a", 7, "board-a")


def after(before: LifeSeen, life: LifeSeen, later_s: float = 60.0) -> tuple[Turn, str] | None:
    lives = Lives()
    assert lives.heard(before, 0.0) is None
    return lives.heard(life, later_s)


@pytest.mark.parametrize(
    ("life", "turn", "words"),
    [
        (LifeSeen("boot-1", 99.0, "inst-a", 8, "board-a"), Turn.RESTARTED, r"its program began anew \(start 8\)$"),
        (LifeSeen("boot-2", 9.0, "inst-a", 8, "board-a"), Turn.RESTARTED, r"its machine was started anew \(start 8\)$"),
        (LifeSeen("boot-2", 9.0, "inst-a", 11, "board-a"), Turn.RESTARTED, "3 starts in between were not seen"),
        (LifeSeen("boot-1", 99.0, "inst-a", None, "board-a"), Turn.RESTARTED, "its program began anew"),
        (LifeSeen("boot-1", 99.0, None, None, None), Turn.RESTARTED, "its program began anew"),
        (LifeSeen("boot-2"), Turn.RESTARTED, "its machine was started anew"),
        (
            LifeSeen("boot-9", 9.0, "inst-a", 8, "board-b"),
            Turn.REPLACED,
            r"board-b\) .* with the storage of",
        ),
        (LifeSeen("boot-9", 9.0, "inst-b", 1, "board-b"), Turn.REPLACED, r"another board \(board-b\) answers for it$"),
        (LifeSeen("boot-9", 9.0, "inst-b", 1, "board-a"), Turn.REPLACED, "another installation .* on the same board"),
        (LifeSeen("boot-9", 9.0, "inst-b", 1), Turn.REPLACED, "perhaps on another machine"),
        (LifeSeen("boot-9", 9.0, "inst-a", 7, "board-a"), Turn.REPLACED, "a copy of its storage .* start 7 came after"),
        (LifeSeen("boot-9", 9.0, "inst-a", 3), Turn.REPLACED, "start 3 came after start 7"),
    ],
)
def test_what_another_life_means(life: LifeSeen, turn: Turn, words: str) -> None:
    meaning = after(KNOWN, life)
    assert meaning is not None
    assert meaning[0] is turn
    assert re.search(words, meaning[1])


def test_the_same_life_says_nothing_new() -> None:
    assert after(KNOWN, KNOWN) is None


def test_an_earlier_life_that_speaks_again_is_a_second_machine() -> None:
    lives = Lives()
    other = LifeSeen("boot-9", 9.0, "inst-b", 1, "board-b")
    lives.heard(KNOWN, 0.0)
    lives.heard(other, 100.0)
    meaning = lives.heard(KNOWN, 100.0 + STRAGGLES_S)
    assert meaning is not None
    assert meaning == (Turn.RIVALS, "TWO machines take turns under its name: boards board-b and board-a")
    again = lives.heard(other, 130.0)
    assert again is not None
    assert again[0] is Turn.RIVALS


def test_two_copies_of_one_card_are_told_without_any_hardware_number() -> None:
    lives = Lives()
    copies = LifeSeen("boot-1", 3.0, "inst-a", 8), LifeSeen("boot-9", 4.0, "inst-a", 8)
    lives.heard(copies[0], 0.0)
    first = lives.heard(copies[1], 20.0)
    second = lives.heard(copies[0], 40.0)
    assert first is not None
    assert second is not None
    assert (first[0], second) == (
        Turn.REPLACED,
        (Turn.RIVALS, "TWO machines take turns under its name: one is a copy of the other"),
    )


def test_a_last_word_that_comes_late_is_no_second_machine() -> None:
    lives = Lives()
    reborn = LifeSeen("boot-1", 99.0, "inst-a", 8, "board-a")
    lives.heard(KNOWN, 0.0)
    lives.heard(reborn, 100.0)
    assert lives.heard(KNOWN, 99.9 + STRAGGLES_S) is None
    assert lives.is_past(KNOWN)
    assert lives.present == reborn
