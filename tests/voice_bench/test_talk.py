"""What nobody may say in the voice bench's talk, and where the calls of a tape are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from voicemodel import lexicon, rhymes, texts, voices

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.decision import AGAIN_WITHIN_S
from tests.voice_bench import plans
from tests.voice_bench.cast import CAST, VOICES
from tests.voice_bench.hits import Hit, judge
from tests.voice_bench.near_misses import NEAR_MISSES, RHYMES
from tests.voice_bench.ordinary import holds_any, sentences
from tests.voice_bench.phrase_sets import HELD_OUT, SHIPPED, all_phrases, phrase_set
from tests.voice_bench.sentences import EVERYDAY, SENTENCES, label_of
from tests.voice_bench.tape import APART_S, Said, pcm, rms, starts, with_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = (*NEAR_MISSES, *RHYMES)


def test_no_line_holds_a_phrase_or_is_one_that_training_heard() -> None:
    assert [line for line in LINES if holds_any(line, all_phrases())] == []
    assert [line for line in LINES if any(texts.holds(line, learned) for learned in texts.NEAR_MISSES)] == []
    assert len(set(LINES)) == len(LINES) >= 80


def test_every_line_holds_a_word_of_a_phrase_or_begins_like_one() -> None:
    beginnings = {word[:2] for phrase in all_phrases() for word in phrase.split()}
    assert [line for line in LINES if not any(word[:2] in beginnings for word in line.split())] == []


def test_rhymes_are_those_that_differ_from_a_phrase_in_a_quarter_of_its_sounds_at_most() -> None:
    assert [line for line in RHYMES if unlikeness(line) > 0.25] == []
    assert [line for line in NEAR_MISSES if unlikeness(line) <= 0.25] == []


def unlikeness(line: str) -> float:
    """The least share of the sounds of any phrase that the line lacks, changes or adds."""
    said = lexicon.read()
    heard = [sound for word in line.split() for sound in said.get(word, (("?",),))[0]]
    wanted = [[sound for word in phrase.split() for sound in said[word][0]] for phrase in all_phrases()]
    return min(
        rhymes.distance(sounds, heard[start:end]) / len(sounds)
        for sounds in wanted
        for start in range(len(heard))
        for end in range(start, min(len(heard), start + 2 * len(sounds)) + 1)
    )


def test_everybody_who_speaks_here_is_held_out_from_training() -> None:
    held_out = {voice.name for voice in (*voices.HELD_OUT, *voices.HELD_OUT_READERS)}
    assert {voice.name for kind in CAST.values() for voice in kind} <= held_out


@pytest.mark.parametrize("hours", [0.5, 3.0, 20.0])
def test_each_kind_of_voice_talks_as_long_as_the_others_and_alone_in_its_tapes(hours: float) -> None:
    lasts: Counter[tuple[str, str]] = Counter()
    for tape in plans.talk(hours, [f"sentence {number}" for number in range(400)], 0.5, people=False):
        talkers = {voice.name for voice in CAST[tape.voices]} if tape.voices else set()
        assert {line.voice.name for line in tape.lines} == talkers
        lasts[tape.kind, tape.voices] += round(tape.length_s)
    for kind in plans.SPOKEN:
        assert [lasts[kind, each] for each in VOICES] == pytest.approx([hours * 1200 / 5] * 3, abs=20)
    assert sum(lasts[kind, each] for kind in plans.KINDS for each in (*VOICES, "")) == pytest.approx(
        hours * 3600, abs=60
    )


def test_each_voice_calls_equally_often_in_each_condition() -> None:
    calls = plans.calls(16, [f"sentence {number}" for number in range(400)])
    for condition in plans.CONDITIONS:
        for kind in VOICES:
            said = Counter(
                saying.line.voice.name
                for tape in calls
                if tape.condition == condition and tape.voices == kind
                for saying in tape.sayings
            )
            assert set(said.values()) == {2 * 80 // len(CAST[kind])}


def test_no_voice_has_a_bed_of_noise_to_itself() -> None:
    for tape in plans.calls(16, [f"sentence {number}" for number in range(400)]):
        assert len({saying.line.voice.name for saying in tape.sayings}) > 1


def test_what_every_engine_hears_is_like_the_rest() -> None:
    """So that they are set off by the same talk: each kind of voice as often, and near misses in every crowd."""
    near = set(NEAR_MISSES)
    tapes = plans.talk(20.0, [f"sentence {number}" for number in range(4000)], 2.0, people=False)
    for kind in plans.SPOKEN:
        shared = Counter(tape.voices for tape in tapes if tape.kind == kind and tape.shared)
        assert set(shared) == set(VOICES)
        assert len(set(shared.values())) == 1
    for tape in (tape for tape in tapes if tape.kind == plans.CROWD):
        assert 0.25 < np.mean([line.text in near for line in tape.lines[:200]]) < 0.6


def test_a_fortune_with_a_phrase_in_it_is_not_told() -> None:
    raw = "Nobody came to help me.\n%\nThey had to call the policeman twice.\n%\nThe soup was far too hot today.\n"
    assert list(sentences(raw, all_phrases())) == ["the soup was far too hot today"]


def test_the_held_out_sign_says_nothing_that_training_said() -> None:
    held_out, shipped = (set(phrase_set(name).labels) for name in (HELD_OUT, SHIPPED))
    assert held_out.isdisjoint(texts.phrases("trained"))
    assert held_out.isdisjoint(shipped)


@pytest.mark.parametrize("snr_db", [20, 5])
def test_the_truth_of_a_tape_is_where_the_sound_is_and_as_loud_as_said(snr_db: int) -> None:
    chance = np.random.default_rng(3)
    second = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.asarray(0.3 * np.sin(2 * np.pi * 440 * second), np.float32)
    silence = np.zeros(SAMPLE_RATE_HZ // 4, np.float32)
    sound = np.concatenate([silence, tone, silence])
    first, samples = starts(chance, [len(sound)] * 3)
    bed = np.asarray(chance.normal(0, 0.01, samples), np.float32)
    calls = [(start, Said("help-me", "a tone", sound)) for start in first]
    tape = with_calls(bed, calls, lambda noise: noise * 10 ** (snr_db / 20))

    residue = np.asarray((tape.sound - pcm(bed).astype(np.int32)) / 32767, np.float32)
    for start, call in zip(first, tape.calls, strict=True):
        assert call.start_s == pytest.approx(start / SAMPLE_RATE_HZ + 0.25, abs=0.02)
        assert call.end_s == pytest.approx(call.start_s + 1, abs=0.03)
        inside = residue[int(call.start_s * SAMPLE_RATE_HZ) : int((call.start_s + 1) * SAMPLE_RATE_HZ)]
        assert 20 * np.log10(rms(inside) / 0.01) == pytest.approx(snr_db, abs=0.5)
        residue[int((call.start_s - 0.05) * SAMPLE_RATE_HZ) : int((call.end_s + 0.05) * SAMPLE_RATE_HZ)] = 0
    assert np.abs(residue).max() < 1e-3


def test_blocks_are_the_tape_on_its_own_clock() -> None:
    bed = np.asarray(np.random.default_rng(4).normal(0, 0.01, 5 * SAMPLE_RATE_HZ), np.float32)
    tape = with_calls(bed, [], lambda noise: noise)
    blocks = list(tape.blocks())
    assert b"".join(block.pcm for block in blocks) == tape.sound.tobytes()
    assert [block.ended_s for block in blocks[:2]] == pytest.approx([0.1, 0.2])
    assert blocks[-1].ended_s == tape.length_s


@pytest.mark.parametrize("lines", [SENTENCES, EVERYDAY])
def test_a_sentence_with_a_phrase_in_it_holds_one_phrase_of_the_sign(lines: Sequence[str]) -> None:
    labels = phrase_set(SHIPPED).labels
    held = [[phrase for phrase in labels if texts.holds(line, phrase)] for line in lines]
    assert [line for line, phrases in zip(lines, held, strict=True) if len(phrases) != 1] == []
    assert [label_of(line, labels) for line in lines] == [labels[phrases[0]] for phrases in held]


def test_each_phrase_is_called_within_a_sentence_and_each_that_counts_once_is_said_in_talk() -> None:
    sign = phrase_set(SHIPPED)
    once = {phrase.label for phrase in sign.voice.phrases if phrase.repeat_within_s is None}
    assert {label_of(line, sign.labels) for line in SENTENCES} == set(sign.labels.values())
    assert {label_of(line, sign.labels) for line in EVERYDAY} == once


def test_no_sentence_with_a_call_in_it_is_one_that_training_says() -> None:
    trained = texts.phrases("trained")
    beside = {*trained, *texts.BEFORE, *texts.AFTER, *lexicon.words()}
    parts = [
        (line, line.removeprefix(f"{phrase} ") if line.startswith(f"{phrase} ") else line.removesuffix(f" {phrase}"))
        for line in (*SENTENCES, *EVERYDAY)
        for phrase in trained
    ]
    assert [line for line, rest in parts if rest != line and rest in beside] == []
    assert {*SENTENCES, *EVERYDAY}.isdisjoint(trained)


def test_no_call_makes_the_one_before_it_count() -> None:
    phrases = [phrase for name in (SHIPPED, HELD_OUT) for phrase in phrase_set(name).voice.phrases]
    assert APART_S[0] > max(AGAIN_WITHIN_S, *(phrase.repeat_within_s or 0.0 for phrase in phrases))


def test_a_call_within_a_sentence_is_caught_wherever_it_ends_in_it_and_one_alone_only_at_its_end() -> None:
    sound = np.full(2 * SAMPLE_RATE_HZ, 0.3, np.float32)
    bed = np.full(10 * SAMPLE_RATE_HZ, 1e-3, np.float32)
    heard = [Hit("help-me", 3.6, 4.0, 1.0)]  # the sentence is said from 3 s to 5 s
    for sentence in (True, False):
        tape = with_calls(bed, [(3 * SAMPLE_RATE_HZ, Said("help-me", "a tone", sound, sentence))], lambda _noise: 0.3)
        assert len(judge(tape.calls, heard).caught) == sentence
