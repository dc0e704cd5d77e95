"""A phrase that is not heard again does not count, and the rest stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import Phrase, Word, places
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.recogniser import load_model
from agent.voice.second_hearing import SecondHearing
from tests.voice.sounds import SPEECH

NEED_HELP = Phrase(("i", "need", "help"), "need", 0.7)
HELP_ME = Phrase(("help", "me"), "help-me", 0.7)
PLEASE_HELP = Phrase(("please", "help"), "please", 0.7)


def sound(name: str) -> bytes:
    """A committed utterance and a second of hiss on both sides; 44 bytes are its header."""
    rng = np.random.default_rng(1)
    hiss = rng.normal(0, 30, SAMPLE_RATE_HZ).astype("<i2").tobytes()
    return hiss + (SPEECH / f"{name}.wav").read_bytes()[44:] + hiss


def claimed(text: str, until_s: float, confidence: float = 1.0) -> list[Word]:
    """The first hearing says that these words were said, all the time from 1 s on to 1 s before the end."""
    words = text.split()
    step_s = (until_s - 2) / len(words)
    return [Word(word, 1 + number * step_s, 1 + (number + 1) * step_s, confidence) for number, word in enumerate(words)]


def heard(text: str, name: str, *phrases: Phrase, confidence: float = 1.0) -> list[float]:
    pcm = sound(name)
    until_s = len(pcm) / 2 / SAMPLE_RATE_HZ
    hearing = SecondHearing(load_model(BUNDLED_MODEL), phrases)
    return [word.confidence for word in hearing.of(claimed(text, until_s, confidence), pcm, until_s)]


def test_what_was_said_is_heard_again() -> None:
    assert min(heard("i need help", "i-need-help-slt", NEED_HELP)) > NEED_HELP.min_confidence


def test_what_was_not_said_is_not_believed() -> None:
    assert max(heard("i need help", "talk-weather-slt", NEED_HELP)) == 0


def test_the_second_hearing_makes_nothing_surer() -> None:
    assert heard("i need help", "i-need-help-slt", NEED_HELP, confidence=0.4) == pytest.approx([0.4] * 3)


def test_words_of_no_phrase_are_left_as_they_were() -> None:
    assert heard("[unk] need [unk]", "talk-weather-slt", NEED_HELP, confidence=0.3) == [0.3] * 3


def test_a_word_that_two_phrases_share_is_as_sure_as_the_surer_of_them() -> None:
    please, help_, me = heard("please help me", "help-me-slt", HELP_ME, PLEASE_HELP)
    assert please < PLEASE_HELP.min_confidence
    assert min(help_, me) > HELP_ME.min_confidence


def test_every_place_of_a_phrase_is_found() -> None:
    words = claimed("help me help me", 6.0)
    assert [(phrase.label, start) for phrase, start in places(words, [HELP_ME])] == [("help-me", 0), ("help-me", 2)]
