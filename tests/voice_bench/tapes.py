"""Makes the tape of a plan, the same each time."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from voicemodel import noises, rooms
from voicemodel.speak import resampled

from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from fakes.sound import active_rms
from tests.voice_bench.beds import bed, crowd, street
from tests.voice_bench.cast import TRACT
from tests.voice_bench.phrase_sets import PEOPLE, SAID, all_phrases, phrase_set
from tests.voice_bench.plans import BEDS, CROWD, MUSIC, TRAFFIC, CallTape, ClipTape, follows
from tests.voice_bench.sentences import label_of
from tests.voice_bench.speech import sound_of
from tests.voice_bench.tape import AFTER_S, APART_S, Call, Said, Tape, amplitude, pcm, rms, starts, with_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.random import Generator

    from tests.voice_bench.cast import Line
    from tests.voice_bench.plans import Plan, TalkTape
    from tests.voice_bench.tape import Sound

QUIET_DBFS = -60.0
"""The noise of a quiet room."""
CALL_DBFS = (-38.0, -20.0)
"""Active speech of a call; a shout at the microphone is louder, and clips."""
TALK_DBFS = (-50.0, -10.0)
BEHIND_DBFS = (-65.0, -35.0)
"""The noise behind talk, in every other tape."""
TURN_LINES = 6
"""Lines said by one talker at most before somebody else's turn, nearer or farther."""
PAUSE_S, TURN_PAUSE_S = (0.3, 1.2), (0.8, 4.0)
"""Between two sentences of a talker, and besides before somebody else's turn."""
AGAIN_S = (0.7, 2.5)
"""Between a call and the same call once more."""
SCENE_S = (20.0, 60.0)
_SCENES = {MUSIC: ("notes", "notes", "hum"), TRAFFIC: ("traffic", "engine", "gusts", "bangs", "street")}


def tape_of(plan: Plan) -> Tape:
    """Make it."""
    match plan:
        case CallTape():
            return _calls(plan)
        case ClipTape():
            return _clips(plan)
        case _:
            return Tape(pcm(_talk(plan)))


def quiet_night(minutes: float) -> Tape:
    """The street when nobody is there."""
    return Tape(pcm(street(7, int(minutes * 60 * SAMPLE_RATE_HZ), QUIET_DBFS)))


def _calls(plan: CallTape) -> Tape:
    chance = np.random.default_rng(plan.seed)
    labels = phrase_set(plan.phrases).labels
    sounds = [(saying.line, sound_of(saying.line, saying.tract)) for saying in plan.sayings]
    said = [
        Said(label_of(line.text, labels), line.who, sound, anywhere=line.text not in labels) for line, sound in sounds
    ]
    if plan.condition.twice:
        said = [replace(each, sound=_again(chance, each.sound), anywhere=True) for each in said]
    first, samples = starts(chance, [len(each.sound) for each in said])
    level_dbfs, snr_db = chance.uniform(*CALL_DBFS), plan.condition.snr_db
    noise_dbfs = QUIET_DBFS if snr_db is None else level_dbfs - snr_db

    def carried(sound: Sound) -> Sound:
        metres = plan.condition.metres
        return sound if metres is None else rooms.at_distance(chance, sound, metres)

    return with_calls(
        bed(chance, plan.bed, samples, _sounds(plan.behind)) * np.float32(amplitude(noise_dbfs)),
        list(zip(first, said, strict=True)),
        lambda noise: amplitude(level_dbfs) if snr_db is None else noise * amplitude(snr_db),
        carried,
    )


def _again(chance: Generator, sound: Sound) -> Sound:
    """The same once more, after a moment."""
    return np.concatenate([sound, np.zeros(int(SAMPLE_RATE_HZ * chance.uniform(*AGAIN_S)), np.float32), sound])


def _spoken(lines: Sequence[Line]) -> Iterator[tuple[Line, Sound]]:
    """The lines over and over."""
    for line in cycle(lines):
        yield line, sound_of(line)


def _sounds(lines: Sequence[Line]) -> Iterator[Sound]:
    return (sound for _, sound in _spoken(lines))


def _talk(plan: TalkTape) -> Sound:
    chance = np.random.default_rng([plan.seed, sum(plan.kind.encode())])
    samples = int(plan.length_s * SAMPLE_RATE_HZ) // BLOCK_SAMPLES * BLOCK_SAMPLES
    talk = _sounds(plan.lines)
    if plan.kind in _SCENES:
        return _scenes(chance, samples, lambda length: _noise(chance, plan.kind, length))
    if plan.kind == CROWD:
        return _scenes(chance, samples, lambda length: crowd(chance, length, talk, int(chance.integers(2, 6))))
    sound = _turns(chance, plan.lines, samples)
    if chance.random() < 0.5:
        level = np.float32(amplitude(chance.uniform(*BEHIND_DBFS)))
        sound = sound + bed(chance, str(chance.choice(BEDS)), samples, talk) * level
    return sound


def _scenes(chance: Generator, samples: int, scene: Callable[[int], Sound]) -> Sound:
    """One scene after the other, each at a level of its own, over the hiss of a microphone."""
    whole = np.asarray(chance.standard_normal(samples) * amplitude(-75), np.float32)
    at = 0
    while at < samples:
        length = min(int(SAMPLE_RATE_HZ * chance.uniform(*SCENE_S)), samples - at)
        sound = scene(length)
        whole[at : at + length] += sound * np.float32(amplitude(chance.uniform(*TALK_DBFS)) / (rms(sound) + 1e-9))
        at += length
    return whole


def _noise(chance: Generator, kind: str, length: int) -> Sound:
    scene = str(chance.choice(_SCENES[kind]))
    return street(int(chance.integers(1 << 30)), length) if scene == "street" else noises.noise(chance, scene, length)


def _turns(chance: Generator, lines: Sequence[Line], samples: int) -> Sound:
    """People who take turns: each from elsewhere, with pauses in what they say and longer ones between them."""
    whole = np.asarray(chance.standard_normal(samples) * amplitude(-75), np.float32)
    at, left, before, phrases = SAMPLE_RATE_HZ, 0, "", all_phrases()
    level = tract = 0.0
    for line, sound in _spoken(lines):
        if not follows(before, line.text, phrases):
            continue
        if not left:
            left = int(chance.integers(1, TURN_LINES + 1))
            level, tract = amplitude(chance.uniform(*TALK_DBFS)), round(chance.uniform(*TRACT), 2)
            at += int(SAMPLE_RATE_HZ * chance.uniform(*TURN_PAUSE_S))
        said = sound_of(line, tract)[: max(0, samples - at)]
        if not len(said):
            return whole
        whole[at : at + len(said)] += said * np.float32(level / active_rms(sound))
        at += len(said) + int(SAMPLE_RATE_HZ * chance.uniform(*PAUSE_S))
        left, before = left - 1, line.text
    return whole


def _clips(plan: ClipTape) -> Tape:
    """As they were recorded, but for the microphone's hiss between them."""
    chance = np.random.default_rng(plan.seed)
    labels = phrase_set(PEOPLE).labels
    parts, calls, at = [], [], 0
    for name in plan.files:
        sound, rate_hz = soundfile.read(name, dtype="float32")
        sound = resampled(sound.mean(axis=1) if sound.ndim > 1 else sound, rate_hz)
        pause = int(SAMPLE_RATE_HZ * (chance.uniform(*APART_S) if plan.calls else chance.uniform(*PAUSE_S)))
        parts += [np.zeros(pause, np.float32), sound]
        start_s, end_s = (at + pause) / SAMPLE_RATE_HZ, (at + pause + len(sound)) / SAMPLE_RATE_HZ
        at += pause + len(sound)
        if plan.calls:
            folder = Path(name).parent.name
            label = labels[SAID.get(folder, folder.replace("_", " "))]
            calls.append(Call(label, f"people: {folder}", start_s, end_s, early_s=end_s - start_s))
    whole = np.concatenate([*parts, np.zeros(int(SAMPLE_RATE_HZ * AFTER_S), np.float32)])
    hiss = chance.standard_normal(len(whole)) * amplitude(-75)
    return Tape(pcm(np.asarray(whole + hiss, np.float32)), tuple(calls))
