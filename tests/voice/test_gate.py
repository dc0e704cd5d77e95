from __future__ import annotations

import numpy as np
import pytest

from agent.hw.kit import BLOCK_MS, BLOCK_SAMPLES
from agent.voice.gate import HANGOVER_MS, LOOK_BACK_MS, QUIETEST_DBFS, SILENCE_DBFS, Gate, Passed, level_dbfs

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


def test_digital_silence_and_no_sound_at_all_have_a_level() -> None:
    assert level_dbfs(bytes(3200)) == SILENCE_DBFS
    assert level_dbfs(b"") == SILENCE_DBFS


@pytest.mark.parametrize("place_dbfs", [-60.0, -45.0, -30.0])
def test_steady_sound_shuts_the_gate_whatever_its_level(place_dbfs: float) -> None:
    gate = settled(place_dbfs)
    assert not any(passed.pcm for passed in feed(gate, place_dbfs, 600, seed=9000))


def test_sound_over_the_floor_opens_the_gate_at_once() -> None:
    gate = settled(-40.0)
    assert feed(gate, -33.0, 1)[0].pcm


def test_the_onset_is_kept() -> None:
    gate = settled(-40.0)
    before = [noise(-40.0, 5000 + count) for count in range(20)]
    for block in before:
        gate.feed(block)
    loud = noise(-25.0, 6000)
    assert gate.feed(loud).pcm == b"".join([*before[-LOOK_BACK_MS // BLOCK_MS :], loud])


def test_a_pause_shorter_than_the_hangover_passes_whole() -> None:
    gate = settled(-40.0)
    passed = [*feed(gate, -25.0, 3), *feed(gate, -40.0, HANGOVER_MS // BLOCK_MS - 1), *feed(gate, -25.0, 3)]
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
    assert all(passed.pcm for passed in feed(gate, -35.0, 2 * BLOCKS_PER_S))


def test_the_hiss_of_the_microphone_alone_never_opens_the_gate() -> None:
    assert not any(passed.pcm for passed in feed(Gate(), QUIETEST_DBFS - 6, 50))


def test_an_engine_that_stays_becomes_the_floor_and_speech_over_it_still_opens() -> None:
    gate = settled(-50.0)
    assert feed(gate, -35.0, 1)[0].pcm
    feed(gate, -35.0, 30 * BLOCKS_PER_S, seed=2000)
    assert not gate.open
    assert feed(gate, -28.0, 1)[0].pcm


def test_the_floor_is_back_soon_after_the_noise_has_gone() -> None:
    gate = settled(-30.0)
    feed(gate, -50.0, BLOCKS_PER_S)
    assert feed(gate, -42.0, 1)[0].pcm
