from __future__ import annotations

import numpy as np
import pytest

from agent.hw.kit import BLOCK_MS, BLOCK_SAMPLES
from agent.voice.gate import (
    HANGOVER_MS,
    LOOK_BACK_MS,
    OPENING_BLOCKS,
    OPENING_LOUD_BLOCKS,
    QUIETEST_DBFS,
    SILENCE_DBFS,
    Gate,
    Passed,
    level_dbfs,
)

BLOCKS_PER_S = 1000 // BLOCK_MS


def noise(dbfs: float, seed: int) -> bytes:
    """A block of hiss at this level, unlike that of any other seed."""
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), BLOCK_SAMPLES)
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def feed(gate: Gate, dbfs: float, blocks: int, seed: int = 0) -> list[Passed]:
    return [gate.feed(noise(dbfs, seed + count)) for count in range(blocks)]


def settled(dbfs: float) -> Gate:
    """A gate that knows a place of this level and is shut."""
    gate = Gate()
    feed(gate, dbfs, 60 * BLOCKS_PER_S)
    assert not gate.open
    return gate


@pytest.mark.parametrize("dbfs", [-60.0, -40.0, -20.0])
def test_the_level_is_that_of_the_sound(dbfs: float) -> None:
    assert level_dbfs(noise(dbfs, 1)) == pytest.approx(dbfs, abs=0.3)


@pytest.mark.parametrize("steps", [300, 900, -900])
def test_a_converter_that_is_off_zero_makes_no_loud_place(steps: int) -> None:
    gate, level = Gate(), level_dbfs(noise(-60.0, 1))
    for seed in range(60 * BLOCKS_PER_S):
        gate.feed(lifted(noise(-60.0, seed), steps))
    assert gate.floor_dbfs == pytest.approx(level, abs=0.5)
    assert [gate.feed(lifted(noise(-50.0, seed), steps)) for seed in range(OPENING_LOUD_BLOCKS)][-1].pcm


def lifted(pcm: bytes, steps: int) -> bytes:
    return (np.frombuffer(pcm, "<i2") + np.int16(steps)).tobytes()


def test_digital_silence_and_no_sound_at_all_have_a_level() -> None:
    assert level_dbfs(bytes(3200)) == SILENCE_DBFS
    assert level_dbfs(b"") == SILENCE_DBFS


@pytest.mark.parametrize("place_dbfs", [-60.0, -45.0, -30.0])
def test_steady_sound_shuts_the_gate_whatever_its_level(place_dbfs: float) -> None:
    gate = settled(place_dbfs)
    assert not any(passed.pcm for passed in feed(gate, place_dbfs, 600, seed=9000))


def test_sound_that_stays_over_the_floor_opens_the_gate() -> None:
    passed = feed(settled(-40.0), -33.0, OPENING_LOUD_BLOCKS)
    assert [bool(each.pcm) for each in passed] == [*[False] * (OPENING_LOUD_BLOCKS - 1), True]


def test_a_phrase_that_noise_hides_for_a_block_opens_the_gate() -> None:
    gate = settled(-40.0)
    passed = [gate.feed(noise(dbfs, 8000 + number)) for number, dbfs in enumerate([-30.0, -40.0, -30.0])]
    assert passed[-1].pcm


def test_a_click_does_not_open_the_gate_however_loud_and_often() -> None:
    gate = settled(-40.0)
    clicks = [noise(-40.0 if count % OPENING_BLOCKS else -10.0, 4000 + count) for count in range(300)]
    assert not any(gate.feed(block).pcm for block in clicks)


def test_the_onset_is_kept_with_all_that_was_loud_before_the_gate_opened() -> None:
    gate = settled(-40.0)
    levels = [
        *[-40.0] * 20,
        -25.0,
        *[-40.0] * (OPENING_BLOCKS - OPENING_LOUD_BLOCKS),
        *[-25.0] * (OPENING_LOUD_BLOCKS - 1),
    ]
    blocks = [noise(dbfs, 5000 + count) for count, dbfs in enumerate(levels)]
    passed = [gate.feed(block).pcm for block in blocks]
    assert passed[-1] == b"".join(blocks[20 - LOOK_BACK_MS // BLOCK_MS :])
    assert not any(passed[:-1])


def test_a_pause_shorter_than_the_hangover_passes_whole() -> None:
    gate = settled(-40.0)
    feed(gate, -25.0, OPENING_LOUD_BLOCKS)
    passed = [*feed(gate, -40.0, HANGOVER_MS // BLOCK_MS - 1), *feed(gate, -25.0, 3)]
    assert all(each.pcm for each in passed)
    assert not any(each.shut for each in passed)


def test_the_gate_says_once_that_it_shut() -> None:
    gate = settled(-40.0)
    feed(gate, -25.0, 5)
    after = feed(gate, -40.0, 20)
    assert [each.shut for each in after].index(True) == HANGOVER_MS // BLOCK_MS - 1
    assert sum(each.shut for each in after) == 1


def test_no_sound_is_passed_twice_or_lost_while_open() -> None:
    gate = settled(-40.0)
    blocks = [noise(-25.0 if count % 7 < 4 else -40.0, 7000 + count) for count in range(40)]
    passed = b"".join(gate.feed(block).pcm for block in blocks)
    assert passed.endswith(b"".join(blocks[: len(passed) // len(blocks[0])][-30:]))


def test_a_gate_that_does_not_know_the_place_lets_everything_pass() -> None:
    gate = Gate()
    passed = feed(gate, -35.0, 2 * BLOCKS_PER_S)
    assert all(each.pcm for each in passed[OPENING_LOUD_BLOCKS - 1 :])
    assert sum(len(each.pcm) for each in passed) == sum(len(noise(-35.0, 0)) for _ in passed)


def test_the_hiss_of_the_microphone_alone_never_opens_the_gate() -> None:
    assert not any(passed.pcm for passed in feed(Gate(), QUIETEST_DBFS - 6, 50))


def test_an_engine_that_stays_becomes_the_floor_and_speech_over_it_still_opens() -> None:
    gate = settled(-50.0)
    assert feed(gate, -35.0, OPENING_LOUD_BLOCKS)[-1].pcm
    feed(gate, -35.0, 30 * BLOCKS_PER_S, seed=2000)
    assert not gate.open
    assert feed(gate, -28.0, OPENING_LOUD_BLOCKS)[-1].pcm


def test_the_floor_is_back_soon_after_the_noise_has_gone() -> None:
    gate = settled(-30.0)
    feed(gate, -50.0, BLOCKS_PER_S)
    assert feed(gate, -42.0, OPENING_LOUD_BLOCKS)[-1].pcm
