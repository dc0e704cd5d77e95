"""Several languages side by side: one gate, a model each, and a call is one call in whichever it was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.voice.decision import Decider, LastCounted, Phrase, Rejection, Word
from agent.voice.language import Language, WordUnknown
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.pipeline import Pipeline
from tests.voice.polish import polish_model
from tests.voice.sounds import Street

if TYPE_CHECKING:
    from pathlib import Path

REFRACTORY_S = 5.0
POLICE = Phrase(("call", "the", "police"), "police", 0.6)
HELP_ME = Phrase(("help", "me"), "help", 0.6)
POMOZ_MI = Phrase(("pomóż", "mi"), "help", 0.6)
POMOC = Phrase(("pomóż", "mi"), "pomoc", 0.6)


@pytest.fixture(scope="module")
def polish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return polish_model(tmp_path_factory.mktemp("polish") / "model")


def pipeline_for(english: Phrase, polish: Language) -> Pipeline:
    pipeline = Pipeline(Language(BUNDLED_MODEL, [english], ()), REFRACTORY_S)
    pipeline.add(polish)
    return pipeline


def test_two_languages_are_heard_in_one_street_each_by_its_own_model_and_at_the_right_time(polish: Path) -> None:
    street = Street(seed=2)
    pipeline = Pipeline(Language(BUNDLED_MODEL, [POLICE], ()), REFRACTORY_S)
    street.say("talk-weather-slt", 20)
    assert not [said for block in street.blocks(4) for said in pipeline.hear(block)]
    pipeline.add(Language(polish, [POMOZ_MI], ()))  # its ear has heard less than the other one from now on
    expected, heard = [], []
    for name in ("help-me-slt", "call-the-police-rms"):
        expected.append(street.say(name, 20))
        heard += [said for block in street.blocks(4) for said in pipeline.hear(block)]
    assert [said.phrase for said in heard] == [POMOZ_MI, POLICE]
    assert [said.end_s for said in heard] == pytest.approx(expected, abs=0.25)
    assert all(said.end_s <= said.decided_s < said.end_s + 1.2 for said in heard)


def test_what_two_models_hear_at_once_is_one_call_where_the_label_is_one(polish: Path) -> None:
    pipeline = pipeline_for(HELP_ME, Language(polish, [POMOZ_MI], ()))
    street = Street(seed=2)
    street.say("help-me-slt", 20)
    (said,) = [said for block in street.blocks(4) for said in pipeline.hear(block)]
    assert said.phrase.label == "help"
    assert pipeline.rejected == {Rejection.REFRACTORY: 1}


def test_what_two_models_hear_at_once_is_suspected_and_counts_for_each_label(polish: Path) -> None:
    pipeline = pipeline_for(HELP_ME, Language(polish, [POMOC], ()))
    street = Street(seed=2)
    street.say("help-me-slt", 20)
    suspected, heard = [], []
    for block in street.blocks(4):
        heard += [said.phrase for said in pipeline.hear(block)]
        suspected += [each.phrase for each in pipeline.suspicions]
    assert suspected == heard == [HELP_ME, POMOC]


def test_what_was_said_last_counts_in_every_language_when_the_sound_ends(polish: Path) -> None:
    pipeline = pipeline_for(HELP_ME, Language(polish, [POMOC], ()))
    street = Street(seed=8)
    ended_s = street.say("help-me-slt", 20)
    blocks = [block for block in street.blocks(3) if block.ended_s < ended_s + 0.1]
    assert not [said for block in blocks for said in pipeline.hear(block)]
    assert [said.phrase for said in pipeline.end(blocks[-1].ended_s)] == [HELP_ME, POMOC]


def test_a_word_unknown_to_its_own_model_is_refused_and_the_nearest_are_that_models(polish: Path) -> None:
    with pytest.raises(WordUnknown) as unknown:
        Language(polish, [Phrase(("pomoz", "mi"), "help", 0.6)], ())
    assert f'{polish} does not know the word "pomoz" of the phrase "pomoz mi"; it knows pomóż, ' in unknown.value.detail
    with pytest.raises(WordUnknown) as unknown:
        Language(polish, [HELP_ME], ())
    assert '"help" of the phrase "help me"' in unknown.value.detail


# --- the decisions of several languages, without sound


def words(text: str, at_s: float) -> list[Word]:
    return [Word(word, at_s + 0.3 * count, at_s + 0.3 * (count + 1), 1.0) for count, word in enumerate(text.split())]


def deciders(english: Phrase, polish: Phrase) -> tuple[Decider, Decider]:
    shared: LastCounted = {}
    return (Decider([english], REFRACTORY_S, (), shared), Decider([polish], REFRACTORY_S, (), shared))


def test_a_call_does_not_count_again_in_another_language_before_its_refractory_time_is_over() -> None:
    english, polish = deciders(HELP_ME, POMOZ_MI)
    assert len(english.decide(words("help me", 10), 11)) == 1
    assert polish.decide(words("pomóż mi", 15), 16) == []
    assert len(polish.decide(words("pomóż mi", 16), 17)) == 1
    assert english.decide(words("help me", 18), 19) == []


def test_an_open_call_does_not_keep_a_silent_one_of_the_same_label_from_counting() -> None:
    silent = Phrase(("pomóż", "mi"), "help", 0.6, silent=True)
    english, polish = deciders(HELP_ME, silent)
    assert len(english.decide(words("help me", 10), 11)) == 1
    assert len(polish.decide(words("pomóż mi", 10), 11)) == 1


def test_a_phrase_that_must_be_said_twice_is_not_said_twice_by_being_heard_by_two_models() -> None:
    twice = Phrase(("help", "me"), "help", 0.6, repeat_within_s=20.0)
    first, second = deciders(twice, twice)
    assert first.decide(words("help me", 10), 11) == []
    assert second.decide(words("help me", 10.1), 11) == []
    assert len(first.decide(words("help me", 13), 14)) == 1
    assert second.decide(words("help me", 13.1), 14) == [], "one call"
