"""What training says of words that the model has not: dictionaries that only the builder has (`build --check`)."""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING

import pytest
from voicemodel import corpus, dictionary, lexicon, rhymes, texts, voices
from voicemodel.speak import CannotSay, say

if TYPE_CHECKING:
    from pathlib import Path


def test_the_dictionaries_know_how_words_are_said_on_both_sides_of_the_atlantic() -> None:
    assert dictionary.sounds()["half"] == (("hh", "aa", "f"), ("hh", "ae", "f"))


def test_long_words_names_and_single_letters_are_not_said() -> None:
    said = dictionary.words()
    assert {"polish", "kitchen"} <= set(said)
    assert not {"a", "incomprehensibility", "london", "nhs"} & set(said)


def test_no_strange_text_holds_a_held_out_phrase() -> None:
    chance = random.Random(1)
    said = [texts.strange(chance) for _ in range(5000)]
    for phrase in texts.phrases("held out"):
        assert [text for text in said if texts.holds(text, phrase)] == []


def test_some_strange_texts_hold_phrases_and_most_do_not() -> None:
    chance = random.Random(2)
    said = [texts.strange(chance) for _ in range(2000)]
    calls = sum(any(texts.holds(text, phrase) for phrase in texts.phrases("trained")) for text in said)
    assert len(said) / 4 < calls < len(said) / 2


@pytest.mark.parametrize("word", ["help", "police", "call", "me"])
def test_a_rival_sounds_like_the_word_and_is_never_said_like_it(word: str) -> None:
    ways, rivals = lexicon.read()[word], rhymes.in_dictionary(word)
    apart = [min(rhymes.distance(*both) for both in product(ways, dictionary.sounds()[one])) for one in rivals]
    assert min(apart) == 1
    assert max(apart) <= rhymes.most(ways[0])


def test_what_the_bench_says_in_a_words_place_is_no_rival() -> None:
    for word in {word for phrase in texts.phrases("trained") for word in phrase.split()}:
        assert [one for one in rhymes.in_dictionary(word) if rhymes.held_out(one)] == []
    assert rhymes.held_out("polish")


def test_a_voice_that_does_not_tell_how_it_says_a_word_says_it_as_americans_do() -> None:
    said = say("call the half gneissic", voices.Voice("flite", "slt"))
    assert said.phones[1:] == (("dh", "ax"), ("hh", "ae", "f"), ("n", "ay", "s", "ih", "k"))


def test_espeak_tells_how_it_says_a_word_in_each_accent_and_of_joined_words_the_usual_sounds() -> None:
    said = {accent: say("half the pulse", voices.Voice("espeak", accent)).phones[0] for accent in ("en-gb", "en-us")}
    assert said == {"en-gb": ("hh", "aa", "f"), "en-us": ("hh", "ae", "f")}
    joined = say("half of the pulse", voices.Voice("espeak", "en-gb")).phones
    assert joined[:3] == (("hh", "ae", "f"), ("ax", "v"), ("dh", "ax"))


def test_what_no_dictionary_has_is_left_to_voices_that_tell_how_they_say_it() -> None:
    with pytest.raises(CannotSay, match="does not tell how it says 'blorkest' of 'call the blorkest'"):
        say("call the blorkest", voices.Voice("flite", "slt"))


@pytest.mark.parametrize("engine", ["strangers-hibari", "strangers-flite", "strangers-festival", "strangers-espeak"])
def test_the_strangers_of_the_corpus_say_words_that_the_model_has_not_with_their_sounds(engine: str) -> None:
    said = [one for number in range(8) if (one := corpus.spoken(engine, number))]
    known = lexicon.read()
    words = [(word, way) for one in said for word, way in zip(one.text.split(), one.phones, strict=True)]
    assert [word for word, _ in words if word not in known]
    assert all(way for _, way in words)


def test_a_part_of_the_corpus_goes_on_where_it_was_stopped_and_ends_with_its_share(tmp_path: Path) -> None:
    begun, whole = corpus.Part(0.002, 50), corpus.Part(0.004, 50)
    assert [list(part.numbers("strangers-flite")) for part in (begun, whole)] == [
        [50, 51, 52],
        [50, 51, 52, 53, 54, 55],
    ]
    corpus.make(tmp_path / "stopped", "strangers-flite", begun)
    for folder in ("stopped", "through"):
        corpus.make(tmp_path / folder, "strangers-flite", whole)
    stopped, through = (list(corpus.read(tmp_path / folder)) for folder in ("stopped", "through"))
    assert [one.text for one in stopped] == [one.text for one in through]
    assert all((one.sound == other.sound).all() for one, other in zip(stopped, through, strict=True))
    fiftieth = corpus.spoken("strangers-flite", 50)
    assert fiftieth
    assert through[0].text == fiftieth.text


def test_a_new_word_of_the_list_gets_the_sounds_of_both_sides_and_the_others_keep_theirs() -> None:
    known: lexicon.Lexicon = {"help": (("hh", "eh", "l", "p"),), "me": (("m", "iy"),)}
    said = lexicon.completed(known, ["help", "zebra", "i'm"])
    assert said == known | {
        "zebra": (("z", "iy", "b", "r", "ax"), ("z", "eh", "b", "r", "ax")),
        "i'm": (("ay", "m"),),
    }


def test_a_word_without_a_sound_is_told_with_the_file_where_to_add_it() -> None:
    with pytest.raises(ValueError, match=r"no dictionary knows how '-' is said: add it to .*lexicon\.txt"):
        lexicon.completed({}, ["zebra", "-"])
