"""Where the recogniser cuts sound that does not end, nothing is lost and nothing is heard twice."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from agent.voice.decision import Phrase, Word, places
from agent.voice.held import HeldPhrase
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.recogniser import LONGEST_S, UTTERANCE_S, VoskRecogniser, grammar, load_model
from agent.voice.second_hearing import CLEAR_DB, SecondHearing, stands_out_db
from tests.voice.sounds import SPEECH

if TYPE_CHECKING:
    from collections.abc import Sequence

CALL_S = 0.33
"""How long the first word of this utterance is."""
POLICE = Phrase(("call", "the", "police"), "police", 0.7)


class Watched(VoskRecogniser):
    """Tells where it cut."""

    def __init__(self, *phrases: Phrase) -> None:
        super().__init__(
            load_model(BUNDLED_MODEL),
            grammar(phrases, (), ("call", "the", "police", "help", "me")),
            phrases,
            exacting=True,
        )
        self.cut_at_s: list[float] = []

    def _cut(self, again_s: float) -> list[Word]:
        self.cut_at_s.append(self.heard_s)
        return super()._cut(again_s)

    def hear(self, sound: np.ndarray) -> list[Word]:
        """All words of this sound but the unknown ones; of a phrase that was cut its beginning may come twice."""
        pcm = sound.astype("<i2").tobytes()
        step = 2 * BLOCK_SAMPLES
        words = [word for at in range(0, len(pcm), step) for word in self.feed(pcm[at : at + step])]
        return [word for word in [*words, *self.rest()] if word.text != "[unk]"]


def spoken(name: str) -> np.ndarray:
    with wave.open(str(SPEECH / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)


def hiss(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 100, round(seconds * SAMPLE_RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("rests", [0, 1])
def test_a_call_without_a_breath_before_it_is_heard_after_the_end_of_another_utterance(rests: int) -> None:
    recogniser = Watched(POLICE)
    recogniser.hear(np.concatenate([hiss(1.0), spoken("talk-weather-slt"), hiss(0.5)]))
    for _ in range(rests):
        recogniser.rest()
    call = spoken("call-the-police-rms")[round(0.1 * SAMPLE_RATE_HZ) :]
    words = recogniser.hear(np.concatenate([call + hiss(len(call) / SAMPLE_RATE_HZ), hiss(0.5)]))
    assert [word.text for word in words] == list(POLICE.words)
    assert min(word.confidence for word in words) > 0.9


@pytest.mark.parametrize("before_s", [0.0, 6.0])
def test_a_call_into_a_fresh_recogniser_is_heard(before_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.voice.recogniser.RENEW_AFTER_S", 5.0)
    recogniser = Watched(POLICE)
    recogniser.hear(hiss(before_s))
    recogniser.rest()
    assert recogniser.age_s == 0
    call = spoken("call-the-police-rms")[round(0.1 * SAMPLE_RATE_HZ) :]
    words = recogniser.hear(np.concatenate([call + hiss(len(call) / SAMPLE_RATE_HZ), hiss(0.5)]))
    assert [word.text for word in words] == list(POLICE.words)


@pytest.mark.parametrize("before_cut_s", [0.1, 0.2, 0.3])
def test_a_phrase_that_lies_across_a_cut_is_heard_once_and_where_it_was_said(before_cut_s: float) -> None:
    in_hiss = Watched(POLICE)
    in_hiss.hear(hiss(2 * UTTERANCE_S))
    hears_it_once(Watched(POLICE), in_hiss.cut_at_s[0] - before_cut_s)


def test_a_slow_phrase_behind_a_false_beginning_of_one_is_heard_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeldPhrase, "under_way", lambda *_: True)
    recogniser = Watched(POLICE)
    hears_it_once(recogniser, LONGEST_S - 1.0, pause_s=0.4)


@pytest.mark.parametrize("breath_s", [0.0, 0.03, 0.1, 0.2])
@pytest.mark.parametrize("noise", [1.0, 8.0])
def test_a_phrase_right_behind_another_is_heard_whole_and_surely(breath_s: float, noise: float) -> None:
    help_me = Phrase(("help", "me"), "help-me", 0.7)
    recogniser = Watched(help_me, POLICE)
    one, other = (trimmed(spoken(name)) for name in ("help-me-slt", "call-the-police-rms"))
    sound = np.concatenate([hiss(1.0), one, hiss(breath_s), other, hiss(2.0, seed=2)])
    words = recogniser.hear(sound + (noise - 1) * hiss(len(sound) / SAMPLE_RATE_HZ, seed=3)[: len(sound)])
    said = [
        (phrase.words, min(word.confidence for word in words[start : start + len(phrase.words)]) > 0.9)
        for phrase, start in places(words, [help_me, POLICE])
    ]
    assert said == [(help_me.words, True), (POLICE.words, True)]


def test_what_is_heard_before_the_rest_behind_a_phrase_is_as_loud_as_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    second_hearing, utterances = SecondHearing.of, []

    def of(self: SecondHearing, words: Sequence[Word], pcm: bytes, until_s: float) -> list[Word]:
        utterances.append(pcm)
        return second_hearing(self, words, pcm, until_s)

    monkeypatch.setattr(SecondHearing, "of", of)
    recogniser = Watched(Phrase(("help", "me"), "help-me", 0.7), POLICE)
    both = np.concatenate(
        [hiss(2.0), trimmed(spoken("help-me-slt")), trimmed(spoken("call-the-police-rms")), hiss(2.0)]
    )
    recogniser.hear(both + 7 * hiss(len(both) / SAMPLE_RATE_HZ, seed=3)[: len(both)])
    _, *later = (pcm for pcm in utterances if pcm)  # before the first sound of all there is nothing but the hiss
    assert len(later) >= 2
    assert max(stands_out_db(pcm, pcm) for pcm in later) < CLEAR_DB, "a call in noise would be judged as one in quiet"


def trimmed(sound: np.ndarray) -> np.ndarray:
    """From its first loud sample to its last."""
    loud = np.flatnonzero(np.abs(sound) > 300)
    return sound[loud[0] : loud[-1]]


def hears_it_once(recogniser: Watched, begins_s: float, pause_s: float = 0.0) -> None:
    call, the_police = np.split(spoken("call-the-police-rms"), [round(CALL_S * SAMPLE_RATE_HZ)])
    said = np.concatenate([call, hiss(pause_s), the_police])
    sound = np.concatenate([hiss(begins_s), said, hiss(2.0, seed=2)])
    sound += hiss(len(sound) / SAMPLE_RATE_HZ, seed=3)
    words = recogniser.hear(sound)
    ((first, last),) = [
        (one, third)
        for one, two, third in zip(words, words[1:], words[2:], strict=False)
        if (one.text, two.text, third.text) == POLICE.words
    ]
    assert first.start_s == pytest.approx(begins_s, abs=0.3)
    assert last.end_s == pytest.approx(begins_s + len(said) / SAMPLE_RATE_HZ, abs=0.3)
    assert any(begins_s < at_s < last.end_s for at_s in recogniser.cut_at_s), recogniser.cut_at_s
