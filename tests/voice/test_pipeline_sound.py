"""Whatever sound comes, the pipeline goes on, hears no call in it, and computes no longer than it may."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ, PcmBlock
from agent.voice.gate import level_dbfs
from tests.voice.sounds import SPEECH, Street, fresh_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from agent.voice.pipeline import Pipeline

SECONDS = 5
SAMPLES = SECONDS * SAMPLE_RATE_HZ
BLOCK_CPU_S = 1.0
"""The rule of test_pipeline.py: computing, not time."""
FULL = 32767
BLOCK_BYTES = 2 * BLOCK_SAMPLES


def pcm(samples: NDArray[np.floating] | NDArray[np.integer]) -> bytes:
    clipped: NDArray[np.int16] = np.clip(samples, -FULL - 1, FULL).astype("<i2")
    return clipped.tobytes()


def time_s() -> NDArray[np.float64]:
    return np.arange(SAMPLES) / SAMPLE_RATE_HZ


def clicks(every: int) -> bytes:
    samples = np.zeros(SAMPLES)
    samples[::every] = FULL
    samples[1::every] = -FULL
    return pcm(samples)


SOUNDS: dict[str, Callable[[], bytes]] = {
    "random bytes": lambda: np.random.default_rng(1).bytes(2 * SAMPLES),
    "silence": lambda: bytes(2 * SAMPLES),
    "one step of the converter": lambda: pcm(np.arange(SAMPLES) % 2),
    "direct current": lambda: pcm(np.full(SAMPLES, 12_000)),
    "direct current at the end of the scale": lambda: pcm(np.full(SAMPLES, -FULL - 1)),
    "a full-scale square wave": lambda: pcm(FULL * np.sign(np.sin(2 * np.pi * 440 * time_s()) + 1e-9)),
    "a full-scale square wave as fast as there is": lambda: pcm(FULL * (1 - 2 * (np.arange(SAMPLES) % 2))),
    "a sweep": lambda: pcm(20_000 * np.sin(2 * np.pi * (50 + 375 * time_s()) * time_s())),
    "clicks": lambda: clicks(1_600),
    "a click each 10 ms": lambda: clicks(160),
    "hiss that comes and goes": lambda: pcm(
        np.random.default_rng(2).normal(0, 6_000, SAMPLES) * (np.sin(2 * np.pi * 3 * time_s()) > 0)
    ),
    "one loud sample in silence": lambda: bytes(SAMPLES) + pcm(np.array([FULL])) + bytes(SAMPLES - 2),
}


def blocks(sound: bytes, sizes: Iterable[int]) -> list[PcmBlock]:
    """The sound in blocks of these many bytes, the last size going on to its end."""
    found, at = [], 0
    sizes = iter(sizes)
    size = next(sizes)
    while at < len(sound):
        block = sound[at : at + size]
        at += len(block)
        found.append(PcmBlock(block, 1000 + at / (2 * SAMPLE_RATE_HZ)))
        size = next(sizes, size)
    return found


def hears_nothing_in(pipeline: Pipeline, sound: list[PcmBlock]) -> None:
    for block in sound:
        before_s = time.thread_time()
        assert pipeline.hear(block) == []
        assert time.thread_time() - before_s < BLOCK_CPU_S
    assert pipeline.end(sound[-1].ended_s) == []


@cache
def a_call() -> list[PcmBlock]:
    street = Street(seed=2)
    street.say("i-need-help-espeak", 20)
    return street.blocks(5)


def still_hears_a_call(pipeline: Pipeline) -> None:
    assert [said.phrase.text for block in a_call() for said in pipeline.hear(block)] == ["i need help"]


@pytest.mark.parametrize("name", SOUNDS)
def test_what_is_no_speech_is_no_call_and_leaves_the_pipeline_fit(name: str) -> None:
    pipeline = fresh_pipeline()
    hears_nothing_in(pipeline, blocks(SOUNDS[name](), [BLOCK_BYTES]))
    still_hears_a_call(pipeline)


@pytest.mark.parametrize("name", SOUNDS)
def test_the_level_of_any_sound_is_a_number_of_its_range(name: str) -> None:
    sound = SOUNDS[name]()
    assert all(-96 <= level_dbfs(block.pcm) <= 0 for block in blocks(sound, [BLOCK_BYTES]))


def test_blocks_of_no_sound_and_of_single_samples_are_taken() -> None:
    noise = np.random.default_rng(3).bytes(4 * BLOCK_BYTES)
    nothing = [PcmBlock(b"", 999.0)] * 3
    pipeline = fresh_pipeline()
    hears_nothing_in(pipeline, [*nothing, *blocks(noise, [2]), *nothing])
    still_hears_a_call(pipeline)


@pytest.mark.parametrize("odd", [1, 3, 3_199, 3_201])
def test_blocks_of_an_odd_length_are_taken(odd: int) -> None:
    noise = np.random.default_rng(4).bytes(64_000)
    pipeline = fresh_pipeline()
    hears_nothing_in(pipeline, blocks(noise, [odd] * 9 + [BLOCK_BYTES]))
    still_hears_a_call(pipeline)


def test_a_call_in_blocks_of_odd_sizes_is_a_call() -> None:
    sound = b"".join(block.pcm for block in a_call())
    pipeline = fresh_pipeline()
    sizes = (2 * int(size) for size in np.random.default_rng(5).integers(1, 2 * BLOCK_SAMPLES, 10_000))
    assert [said.phrase.text for block in blocks(sound, sizes) for said in pipeline.hear(block)] == ["i need help"]


def test_a_recording_out_of_step_by_one_byte_is_no_call() -> None:
    spoken = (SPEECH / "help-me-slt.wav").read_bytes()[45:]
    hears_nothing_in(fresh_pipeline(), blocks(spoken + bytes(64_001), [BLOCK_BYTES]))
