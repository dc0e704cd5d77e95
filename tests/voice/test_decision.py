from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.voice.decision import AGAIN_WITHIN_S, MAX_GAP_S, MAX_WORD_S, Decider, Phrase, Rejection, Word

HELP_ME = Phrase(("help", "me"), "help-me", 0.6)
HELP_ME_PLEASE = Phrase(("help", "me", "please"), "please", 0.6)
POLICE = Phrase(("call", "the", "police"), "police", 0.8)
PHRASES = (HELP_ME, HELP_ME_PLEASE, POLICE)
REFRACTORY_S = 5.0


def spoken(text: str, *, at_s: float = 10.0, confidence: float = 1.0, word_s: float = 0.3) -> list[Word]:
    """Words said one right after the other."""
    return [
        Word(word, at_s + count * word_s, at_s + (count + 1) * word_s, confidence)
        for count, word in enumerate(text.split())
    ]


def labels(words: list[Word]) -> list[str]:
    return [detection.phrase.label for detection in Decider(PHRASES, REFRACTORY_S).decide(words, 20.0)]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("help me", ["help-me"]),
        ("[unk] help me [unk]", ["help-me"]),
        ("call the police", ["police"]),
        ("help", []),
        ("me help", []),
        ("help [unk] me", []),
        ("call police the", []),
        ("call the the police", []),
        ("help help me", ["help-me"]),
        ("", []),
        ("help me call the police", ["help-me", "police"]),
    ],
)
def test_a_phrase_counts_only_whole_and_in_order(heard: str, expected: list[str]) -> None:
    assert labels(spoken(heard)) == expected


def test_the_longest_phrase_wins() -> None:
    assert labels(spoken("help me please")) == ["please"]


def test_a_shorter_phrase_counts_where_the_longer_one_is_not_sure_enough() -> None:
    words = [*spoken("help me"), Word("please", 10.6, 10.9, 0.1)]
    assert labels(words) == ["help-me"]


def test_a_detection_tells_first_and_last_moment_and_the_least_sure_word() -> None:
    words = [Word("help", 1.0, 1.3, 0.7), Word("me", 1.3, 1.5, 0.9)]
    (said,) = Decider(PHRASES, REFRACTORY_S).decide(words, 1.9)
    assert (said.start_s, said.end_s, said.decided_s, said.confidence) == (1.0, 1.5, 1.9, 0.7)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([Word("help", 1.0, 1.3, 0.59), Word("me", 1.3, 1.5, 1.0)], Rejection.UNSURE),
        ([Word("help", 1.0, 1.3, 1.0), Word("me", 1.3 + MAX_GAP_S + 0.01, 2.2, 1.0)], Rejection.GAP),
        ([Word("help", 1.0, 1.1, 1.0), Word("me", 1.1, 1.15, 1.0)], Rejection.TOO_SHORT),
        ([Word("help", 1.0, 1.01 + MAX_WORD_S, 1.0), Word("me", 2.6, 2.8, 1.0)], Rejection.TOO_LONG),
    ],
)
def test_what_does_not_count_is_counted_with_its_reason(words: list[Word], reason: Rejection) -> None:
    decider = Decider(PHRASES, REFRACTORY_S)
    assert decider.decide(words, 5.0) == []
    assert decider.rejected == {reason: 1}


def test_a_pause_and_a_drawn_out_word_within_their_limits_count() -> None:
    words = [Word("help", 1.0, 1.0 + MAX_WORD_S - 0.01, 0.6), Word("me", 3.0, 3.3, 0.6)]
    assert labels(words) == ["help-me"]


def test_the_same_phrase_counts_again_only_after_the_refractory_time() -> None:
    decider = Decider(PHRASES, REFRACTORY_S)
    assert decider.decide(spoken("help me", at_s=10.0), 11.0)
    assert not decider.decide(spoken("help me", at_s=10.6 + REFRACTORY_S - 0.1), 16.0)
    assert decider.rejected[Rejection.REFRACTORY] == 1
    assert decider.decide(spoken("help me", at_s=10.6 + REFRACTORY_S + 0.1), 17.0)


def test_one_phrase_does_not_silence_another() -> None:
    decider = Decider(PHRASES, REFRACTORY_S)
    assert decider.decide(spoken("help me", at_s=10.0), 11.0)
    assert decider.decide(spoken("call the police", at_s=12.0), 13.0)


def test_a_long_phrase_that_does_not_count_again_yet_is_not_taken_for_the_short_one_in_it() -> None:
    decider = Decider(PHRASES, REFRACTORY_S)
    assert decider.decide(spoken("help me please", at_s=10.0), 11.0)
    assert decider.decide(spoken("help me please", at_s=12.0), 13.0) == []
    assert decider.rejected == {Rejection.REFRACTORY: 1}


DECOYS = ("help me out", "help yourself", "call me", "don't call the police")


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("help me out", []),
        ("help me", ["help-me"]),
        ("help me [unk] out", ["help-me"]),
        ("help yourself help me", ["help-me"]),
        ("help me help me out", ["help-me"]),
        ("help me out help me please", ["please"]),
        ("don't call the police", []),
        ("call the police", ["police"]),
        ("call me please", []),
        ("call help me", ["help-me"]),
        ("call me call the police", ["police"]),
    ],
)
def test_a_decoy_takes_the_phrase_that_it_holds_and_nothing_more(heard: str, expected: list[str]) -> None:
    decider = Decider(PHRASES, REFRACTORY_S, DECOYS)
    assert [said.phrase.label for said in decider.decide(spoken(heard), 20.0)] == expected


def test_a_phrase_that_a_decoy_took_is_counted_with_that_reason() -> None:
    decider = Decider(PHRASES, REFRACTORY_S, DECOYS)
    decider.decide(spoken("help me out"), 20.0)
    assert decider.rejected == {Rejection.DECOY: 1}


def test_a_phrase_goes_on_over_a_decoy_that_only_begins_before_it() -> None:
    phrase = Phrase(("me", "please", "help"), "odd", 0.6)
    decider = Decider([phrase], REFRACTORY_S, ["please call me please"])
    assert decider.decide(spoken("please call me please help"), 20.0)


@pytest.mark.parametrize(
    "last",
    [
        Word("out", 10.6, 10.9, 0.59),
        Word("out", 10.6, 10.9, math.nan),
        Word("out", 10.61 + MAX_GAP_S, 11.6, 1.0),
        Word("out", 10.6, 10.61 + MAX_WORD_S, 1.0),
    ],
)
def test_a_decoy_takes_nothing_when_it_was_said_less_surely_than_a_phrase_has_to_be(last: Word) -> None:
    decider = Decider(PHRASES, REFRACTORY_S, DECOYS)
    assert decider.decide([*spoken("help me"), last], 20.0)


TWICE = Phrase(("leave", "me"), "leave-me", 0.6, repeat_within_s=8.0)


def test_a_phrase_that_must_be_said_twice_counts_with_the_second_time_and_since_the_first() -> None:
    decider = Decider([TWICE], REFRACTORY_S)
    assert decider.decide(spoken("leave me", at_s=10.0), 11.0) == []
    assert decider.rejected == {Rejection.SAID_ONCE: 1}
    (said,) = decider.decide(spoken("leave me", at_s=10.6 + 8.0), 20.0)
    assert (said.start_s, said.end_s) == pytest.approx((10.0, 19.2))


def test_twice_in_one_breath_is_twice() -> None:
    assert len(Decider([TWICE], REFRACTORY_S).decide(spoken("leave me leave me"), 20.0)) == 1


def test_said_again_too_late_it_is_said_for_the_first_time() -> None:
    decider = Decider([TWICE], REFRACTORY_S)
    assert decider.decide(spoken("leave me", at_s=10.0), 11.0) == []
    assert decider.decide(spoken("leave me", at_s=10.6 + 8.1), 20.0) == []
    assert decider.decide(spoken("leave me", at_s=24.0), 25.0)


def test_what_is_no_sound_saying_is_no_first_time() -> None:
    decider = Decider([TWICE], REFRACTORY_S)
    assert decider.decide(spoken("leave me", at_s=10.0, confidence=0.5), 11.0) == []
    assert decider.decide(spoken("leave me", at_s=12.0), 13.0) == []


UNSURE = replace(HELP_ME, min_confidence=0.9, unsure_confidence=0.6)
UNSURE_POLICE = replace(POLICE, min_confidence=0.9, unsure_confidence=0.6)
UNSURE_SILENT = replace(TWICE, min_confidence=0.9, unsure_confidence=0.6, repeat_within_s=None, silent=True)


def test_who_is_not_heard_surely_calls_again_and_counts_since_the_first_time() -> None:
    decider = Decider([UNSURE], REFRACTORY_S)
    assert decider.decide(spoken("help me", at_s=10.0, confidence=0.7), 11.0) == []
    assert decider.rejected == {Rejection.UNSURE_ONCE: 1}
    (said,) = decider.decide(spoken("help me", at_s=10.6 + AGAIN_WITHIN_S, confidence=0.65), 22.0)
    assert (said.start_s, said.end_s, said.confidence) == pytest.approx((10.0, 21.2, 0.65))


def test_two_different_calls_in_a_row_are_two_calls() -> None:
    decider = Decider([UNSURE, UNSURE_POLICE], REFRACTORY_S)
    (said,) = decider.decide(spoken("help me call the police", confidence=0.7), 12.0)
    assert said.phrase is UNSURE_POLICE


@pytest.mark.parametrize(
    ("confidence", "at_s"),
    [
        pytest.param(0.7, 10.61 + AGAIN_WITHIN_S, id="too-late"),
        pytest.param(0.59, 14.0, id="even-less-sure"),
    ],
)
def test_an_unsure_call_alone_is_none(confidence: float, at_s: float) -> None:
    decider = Decider([UNSURE], REFRACTORY_S)
    assert decider.decide(spoken("help me", at_s=10.0, confidence=0.7), 11.0) == []
    assert decider.decide(spoken("help me", at_s=at_s, confidence=confidence), at_s + 1) == []


def test_an_unsure_silent_call_and_an_unsure_loud_one_are_not_two_of_a_kind() -> None:
    decider = Decider([UNSURE, UNSURE_SILENT], REFRACTORY_S)
    assert decider.decide(spoken("help me leave me", confidence=0.7), 12.0) == []


def test_a_sure_call_leaves_no_half_one_behind() -> None:
    decider = Decider([UNSURE], refractory_s=1.0)
    assert decider.decide(spoken("help me", at_s=10.0, confidence=0.7), 11.0) == []
    (said,) = decider.decide(spoken("help me", at_s=12.0), 13.0)
    assert said.start_s == 12.0
    assert decider.decide(spoken("help me", at_s=16.0, confidence=0.7), 17.0) == []


def test_an_unsure_phrase_hides_no_sure_one_that_is_shorter_or_begins_within_it() -> None:
    longer = replace(HELP_ME_PLEASE, min_confidence=0.9, unsure_confidence=0.6)
    words = [*spoken("help me", confidence=0.95), Word("please", 10.6, 10.9, 0.7)]
    assert [said.phrase for said in Decider([UNSURE, longer], REFRACTORY_S).decide(words, 12.0)] == [UNSURE]
    please = Phrase(("please", "help"), "please-help", 0.9, unsure_confidence=0.6)
    words = [Word("please", 9.7, 10.0, 0.7), *spoken("help me", confidence=0.95)]
    assert [said.phrase for said in Decider([UNSURE, please], REFRACTORY_S).decide(words, 12.0)] == [UNSURE]


def test_an_unsure_phrase_is_taken_by_a_decoy_as_unsure_as_itself() -> None:
    decider = Decider([UNSURE], REFRACTORY_S, DECOYS)
    assert decider.decide(spoken("help me out help me out", confidence=0.7), 12.0) == []
    assert decider.rejected == {Rejection.UNSURE: 2}


def test_a_phrase_that_must_be_said_twice_must_be_sure_both_times() -> None:
    decider = Decider([replace(TWICE, min_confidence=0.9, unsure_confidence=0.6)], REFRACTORY_S)
    assert decider.decide(spoken("leave me leave me leave me", confidence=0.7), 20.0) == []


def test_who_goes_on_calling_counts_again_after_the_refractory_time() -> None:
    decider = Decider([TWICE], REFRACTORY_S)
    counted = [bool(decider.decide(spoken("leave me", at_s=at_s), at_s + 1)) for at_s in (10.0, 12.0, 14.0, 18.0)]
    assert counted == [False, True, False, True]


def test_a_confidence_that_is_no_number_is_unsure() -> None:
    decider = Decider(PHRASES, REFRACTORY_S)
    assert decider.decide(spoken("help me", confidence=math.nan), 20.0) == []
    assert decider.rejected == {Rejection.UNSURE: 1}


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(math.nan, 10.6), (10.3, math.inf), (-math.inf, 10.6), (10.3, 9.0), (9.9, 10.6)]
)
def test_times_that_are_no_numbers_or_run_backwards_are_no_call(start_s: float, end_s: float) -> None:
    first, second = spoken("help me")
    decider = Decider(PHRASES, REFRACTORY_S)
    assert decider.decide([first, Word(second.text, start_s, end_s, 1.0)], 20.0) == []
    assert decider.rejected == {Rejection.DISORDERED: 1}


TEXTS = ("help", "me", "please", "call", "the", "police", "[unk]")
HYPOTHESES_PER_SEED = 20


def random_hypothesis(rng: random.Random) -> list[Word]:
    words: list[Word] = []
    at_s = 100.0
    for _ in range(rng.randrange(13)):
        start_s = at_s + rng.choice((0.0, rng.random()))
        at_s = start_s + rng.uniform(0.01, 2) ** 2
        words.append(Word(rng.choice(TEXTS), start_s, at_s, rng.random() ** 0.2))
    return words


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_heard_only_sound_phrases_are_found(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(HYPOTHESES_PER_SEED):
        words = random_hypothesis(rng)
        found = Decider(PHRASES, REFRACTORY_S).decide(words, 200.0)
        last_end_s = 0.0
        for detection in found:
            first = next(index for index, word in enumerate(words) if word.start_s == detection.start_s)
            said = words[first : first + len(detection.phrase.words)]
            assert tuple(word.text for word in said) == detection.phrase.words
            assert detection.confidence == min(word.confidence for word in said) >= detection.phrase.min_confidence
            assert said[-1].end_s == detection.end_s
            assert all(after.start_s - before.end_s <= MAX_GAP_S for before, after in pairwise(said))
            assert detection.start_s >= last_end_s, "two detections share a word"
            last_end_s = detection.end_s
        said_s = [detection.start_s for detection in found if detection.phrase is HELP_ME]
        assert all(later - earlier > REFRACTORY_S for earlier, later in pairwise(said_s))


def test_the_random_hypotheses_do_hold_phrases() -> None:
    rng = random.Random(1)
    found = [Decider(PHRASES, REFRACTORY_S).decide(random_hypothesis(rng), 200.0) for _ in range(1000)]
    assert sum(map(bool, found)) > 20
