"""What the model's builder lets voices say, and how words are said."""

from __future__ import annotations

import random

import pytest
from voicemodel import lexicon, rhymes, texts
from voicemodel.phones import PHONES, from_ipa

from agent.voice.lexicon import BUNDLED_MODEL, vocabulary


def test_every_word_that_is_said_stands_in_the_lexicon_with_sounds_of_english() -> None:
    said = lexicon.read()
    assert [word for word in texts.all_words() if word not in said] == []
    assert {sound for ways in said.values() for way in ways for sound in way} == set(PHONES)


def test_the_bundled_model_knows_every_word_of_the_lexicon() -> None:
    assert vocabulary(BUNDLED_MODEL) == set(lexicon.read())


def test_the_words_of_a_sign_are_said_the_british_and_the_american_way() -> None:
    said = lexicon.read()
    assert {("ih", "n", "t", "r", "uw", "d", "er"), ("ih", "n", "t", "r", "uw", "d", "ax")} <= set(said["intruder"])
    assert {("p", "ax", "l", "iy", "s"), ("p", "l", "iy", "s")} <= set(said["police"])


def test_no_training_text_holds_a_held_out_phrase() -> None:
    chance = random.Random(1)
    said = [texts.training(chance) for _ in range(20_000)]
    for phrase in texts.phrases("held out"):
        assert [text for text in said if texts.holds(text, phrase)] == []


@pytest.mark.parametrize("word", ["help", "police", "me"])
def test_rhymes_are_all_words_so_many_sounds_apart_that_no_bench_keeps_for_itself(word: str) -> None:
    said = lexicon.read()
    apart = {
        other: min(rhymes.distance(one, two) for one in said[word] for two in ways) for other, ways in said.items()
    }
    near = {other for other, sounds in apart.items() if 0 < sounds <= rhymes.most(said[word][0])}
    assert set(rhymes.of(word)) == {other for other in near if not rhymes.held_out(other)} != set()


def test_every_trained_phrase_is_said_in_training() -> None:
    chance = random.Random(2)
    said = [texts.training(chance) for _ in range(20_000)]
    assert [p for p in texts.phrases("trained") if not any(texts.holds(text, p) for text in said)] == []


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("pəlˈis", "p ax l iy s"),  # misaki
        ("hˈɛlp", "hh eh l p"),
        ("nˈIn", "n ay n"),
        ("ɪntɹˈuːdɚ", "ih n t r uw d er"),  # espeak
        ("fˈoːɹ", "f ao r"),  # American
        ("ɡˈoːt", "g ow t"),  # Scottish
        ("dʒɑːvɪs", "jh aa v ih s"),
        ("pliːz", "p l iy z"),
    ],
)
def test_both_ways_of_writing_the_phonetic_alphabet_are_read(written: str, sounds: str) -> None:
    assert from_ipa(written) == tuple(sounds.split())


def test_a_sign_that_is_no_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="no sound of English"):
        from_ipa("hˈ§lp")
