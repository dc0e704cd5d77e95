from __future__ import annotations

from agent.voice.decision import Phrase, Word
from agent.voice.held import HOLD_S, HeldPhrase

HELP_ME = Phrase(("help", "me"), "help-me", 0.6)
HELP_ME_PLEASE = Phrase(("help", "me", "please"), "please", 0.6)
I_NEED_HELP = Phrase(("i", "need", "help"), "need", 0.6)


def test_a_phrase_is_ripe_once_it_has_held() -> None:
    held = HeldPhrase([HELP_ME])
    assert not held.ripe(["help", "me"], 1.0)
    assert not held.ripe(["help", "me"], 1.0 + HOLD_S - 0.1)
    assert held.ripe(["help", "me"], 1.01 + HOLD_S)


def test_a_phrase_that_was_revised_begins_anew() -> None:
    held = HeldPhrase([HELP_ME])
    held.ripe(["help", "me"], 1.0)
    assert not held.ripe(["help", "[unk]"], 1.2)
    assert not held.ripe(["help", "me"], 1.4)
    assert held.ripe(["help", "me"], 1.41 + HOLD_S)


def test_a_phrase_in_running_talk_counts() -> None:
    held = HeldPhrase([HELP_ME])
    held.ripe(["[unk]", "help", "me"], 1.0)
    assert held.ripe(["[unk]", "help", "me", "[unk]"], 1.01 + HOLD_S)


def test_a_phrase_waits_while_a_longer_one_is_under_way() -> None:
    held = HeldPhrase([HELP_ME, HELP_ME_PLEASE])
    assert not held.ripe(["help", "me"], 1.0)
    assert not held.ripe(["help", "me"], 9.0)
    held.ripe(["help", "me", "please"], 10.0)
    assert held.ripe(["help", "me", "please"], 10.01 + HOLD_S)


def test_the_end_of_one_phrase_that_begins_another_does_not_wait() -> None:
    held = HeldPhrase([HELP_ME, I_NEED_HELP])
    held.ripe(["i", "need", "help"], 1.0)
    assert held.ripe(["i", "need", "help"], 1.01 + HOLD_S)


def test_an_utterance_that_is_over_is_forgotten() -> None:
    held = HeldPhrase([HELP_ME])
    held.ripe(["help", "me"], 1.0)
    held.forget()
    assert not held.ripe(["help", "me"], 5.0)


HELP_ME_TODAY = Phrase(("can", "you", "help", "me", "today"), "duress", 0.6, silent=True)


def test_a_phrase_waits_while_it_may_be_the_beginning_of_a_decoy_and_is_none_when_it_was() -> None:
    held = HeldPhrase([HELP_ME], ["help me out"])
    assert not held.ripe(["help", "me"], 1.0)
    assert not held.ripe(["help", "me"], 9.0)
    assert not held.ripe(["help", "me", "out"], 9.1)
    assert held.suspected is None
    assert not held.ripe(["help", "me", "[unk]"], 9.2)
    assert held.suspected is HELP_ME


def test_a_phrase_within_a_decoy_is_none() -> None:
    held = HeldPhrase([HELP_ME], ["can't help me", "help"])
    held.ripe(["can't", "help", "me"], 1.0)
    assert not held.ripe(["can't", "help", "me"], 1.01 + HOLD_S)
    assert held.suspected is None


def test_a_phrase_waits_while_it_may_be_the_middle_of_a_longer_one() -> None:
    held = HeldPhrase([HELP_ME, HELP_ME_TODAY])
    assert not held.ripe(["can", "you", "help", "me"], 1.0)
    assert held.suspected is None, "a silent call must not light the lamp by its middle"
    held.ripe(["can", "you", "help", "me", "today"], 1.2)
    assert held.suspected is HELP_ME_TODAY


def test_the_first_phrase_of_an_utterance_is_suspected_until_it_is_over() -> None:
    held = HeldPhrase([HELP_ME, I_NEED_HELP])
    held.ripe(["help", "me"], 1.0)
    assert held.suspected is HELP_ME
    held.ripe(["[unk]"], 1.1)
    held.ripe(["i", "need", "help"], 1.2)
    assert held.suspected is HELP_ME
    held.forget()
    assert held.suspected is None


def test_no_utterance_is_cut_while_it_ends_like_the_beginning_of_a_phrase() -> None:
    held = HeldPhrase([HELP_ME, I_NEED_HELP])
    assert held.under_way(["[unk]", "i", "need"])
    assert held.under_way(["help", "me"])
    assert not held.under_way(["help", "me", "[unk]"])
    assert not held.under_way([])


def test_what_is_heard_again_begins_after_the_last_phrase() -> None:
    held = HeldPhrase([HELP_ME])
    words = [Word("help", 1.0, 1.3, 0.9), Word("me", 1.3, 1.6, 0.9), Word("[unk]", 1.6, 2.4, 0.9)]
    assert held.said_until_s(words) == 1.6
    assert held.said_until_s(words[1:]) == 0.0
