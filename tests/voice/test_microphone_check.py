"""A microphone that hears nothing of use is named within 20 s; one that hears a street by day or night is not."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.hw.decimator import STEP, Decimator, low_pass
from agent.hw.kit import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, PcmBlock
from agent.voice.microphone_check import OVER_AFTER_S, Condition, MicrophoneCheck, Samples
from tests.voice.sounds import CALLS, TALK, Street

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMED_WITHIN_S = 20.0
RNG = np.random.default_rng(4)
UTTERANCES = (*(name for names in CALLS.values() for name in names), *TALK)


def tone(frequency_hz: float, amplitude: float, seconds: float) -> Samples:
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(level_dbfs: float, seconds: float) -> Samples:
    sound = RNG.normal(0, 10 ** (level_dbfs / 20), round(seconds * SAMPLE_RATE_HZ))
    return sound.astype(np.float32)


def flat(value: int, seconds: float) -> Samples:
    return np.full(round(seconds * SAMPLE_RATE_HZ), value / 32768, dtype=np.float32)


@cache
def heard_street() -> Samples:
    pcm = b"".join(block.pcm for block in Street(1, -20).blocks(40))
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def street(level_dbfs: float, seconds: float) -> Samples:
    return heard_street()[: round(seconds * SAMPLE_RATE_HZ)] * np.float32(10 ** ((level_dbfs + 20) / 20))


def shouting(snr_db: float) -> Samples:
    """Calls and talk without a break, so loud over a street; the converter cuts off what is beyond it."""
    on_street, pcm = Street(seed=2), []
    for name in UTTERANCES * 2:
        ended_s = on_street.say(name, snr_db)
        pcm += [block.pcm for block in on_street.blocks(ended_s - on_street.now_s)]
    return np.frombuffer(b"".join(pcm), dtype="<i2").astype(np.float32) / np.float32(32768)


def siren(seconds: float) -> Samples:
    """Up and down between 600 and 1200 Hz, once a second and a half."""
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    frequency_hz = 900 + 300 * np.sin(2 * np.pi * time_s / 1.5)
    return (0.4 * np.sin(2 * np.pi * np.cumsum(frequency_hz) / SAMPLE_RATE_HZ)).astype(np.float32)


class Bench:
    """A microphone check with a clock that the sound moves on."""

    def __init__(self) -> None:
        self.check = MicrophoneCheck()
        self.now_s = 1000.0

    def hear(self, sound: Samples) -> list[Condition | None]:
        """What stood after each block of this."""
        return self.hear_blocks((block, b"") for block in blocks_of(sound, BLOCK_SAMPLES))

    def hear_wide(self, sound: Samples) -> list[Condition | None]:
        """The same of sound at three times the rate, as where a sound level meter is on."""
        decimator = Decimator()
        return self.hear_blocks((decimator.feed(wide), wide) for wide in blocks_of(sound, STEP * BLOCK_SAMPLES))

    def hear_blocks(self, blocks: Iterable[tuple[bytes, bytes]]) -> list[Condition | None]:
        stood = []
        for pcm, wide in blocks:
            self.now_s += BLOCK_MS / 1000
            stood.append(self.check.feed(PcmBlock(pcm, self.now_s, wide=wide)))
        return stood


def blocks_of(sound: Samples, samples: int) -> Iterator[bytes]:
    """As the converter gives it, so many samples at a time."""
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    return (pcm[at : at + 2 * samples] for at in range(0, len(pcm), 2 * samples))


def wide_street(level_dbfs: float, seconds: float) -> Samples:
    """The street at three times the rate; without what only 48 kHz can hold, so that it is as loud."""
    narrow = street(level_dbfs, seconds)
    spread = np.zeros(STEP * narrow.size, dtype=np.float32)
    spread[::STEP] = narrow
    return np.convolve(spread, low_pass(STEP), mode="same").astype(np.float32)


FAULTY = {
    "muted": (flat(0, 25), Condition.SILENT),
    "muted but for a click each two seconds": (np.tile(np.append(flat(0, 1.9), noise(-30, 0.1)), 13), Condition.SILENT),
    "stuck": (flat(-700, 25), Condition.CONSTANT),
    "at the rail": (flat(32767, 25), Condition.CONSTANT),
    "without its membrane": (noise(-88, 25), Condition.FAINT),
    "without its membrane, on a converter that is off zero": (noise(-88, 25) + flat(300, 25), Condition.FAINT),
    "gain at the stop in a street": (30 * street(-25, 25), Condition.CLIPPED),
    "clipped before a volume control": (0.4 * np.clip(30 * street(-25, 25), -1, 1), Condition.CLIPPED),
    "clipped on one side": (np.clip(street(-10, 25), -1, 0.05) + np.float32(0.4), Condition.CLIPPED),
    "feedback": (street(-45, 25) + tone(1234.5, 0.3, 25), Condition.HOWL),
    "feedback at the limit": (np.tanh(10 * tone(800, 1.0, 25)), Condition.CLIPPED),
}
SOUND = {
    "a street": street(-40, 40),
    "a loud street": street(-15, 40),
    "a quiet night": street(-72, 40),
    "a quiet night with a converter off zero": street(-72, 40) + flat(900, 40),
    "calls and talk": shouting(20),
    "shouting close by, 10 dB over what the converter takes": shouting(50),
    "a siren": siren(30),
    "a horn": np.sum([tone(420 * partial, 0.1 / partial, 30) for partial in range(1, 8)], axis=0),
    "a reversing lorry": np.tile(np.append(tone(1250, 0.3, 0.5), street(-40, 0.5)), 30),
    "the hum of a substation": street(-50, 30) + tone(100, 0.3, 30),
    "somebody whistling far off": street(-50, 30) + tone(1500, 0.02, 30),
}


@pytest.mark.parametrize("what", FAULTY)
def test_what_is_wrong_with_a_microphone_is_named_in_time_and_stays_so(what: str) -> None:
    sound, condition = FAULTY[what]
    stood = Bench().hear(sound)
    in_time = round(NAMED_WITHIN_S * 1000 / BLOCK_MS)
    assert stood[in_time - 1] is condition
    assert set(stood) == {None, condition}
    assert sum(before is not after for before, after in pairwise(stood)) == 1, "it is told once"


@pytest.mark.parametrize(
    ("sound", "named"),
    [
        (noise(-107.5, 40), {Condition.SILENT, Condition.FAINT}),
        (noise(-107, 40), {Condition.SILENT, Condition.FAINT}),
        (np.tile(np.append(flat(0, 2), flat(5, 2)), 10), {Condition.SILENT, Condition.CONSTANT}),
    ],
    ids=["noise of an eighth of a step", "a little more", "two values by turns"],
)
def test_a_microphone_that_is_deaf_in_two_ways_by_turns_is_named_once(sound: Samples, named: set[Condition]) -> None:
    stood = Bench().hear(sound)
    assert stood[round(NAMED_WITHIN_S * 1000 / BLOCK_MS) - 1] in named
    assert sum(before is not after for before, after in pairwise(stood)) == 1


@pytest.mark.parametrize("volume", [1.0, 0.9, 0.4])
def test_clipping_is_named_as_well_where_the_converter_is_asked_for_three_times_the_rate(volume: float) -> None:
    """The recogniser's 16 kHz are then made from it by a low-pass, which rounds what was cut off flat."""
    stood = Bench().hear_wide(volume * np.clip(30 * wide_street(-25, NAMED_WITHIN_S), -1, 1))
    assert stood[-1] is Condition.CLIPPED


def test_a_side_that_is_clipped_is_named_there_too() -> None:
    sound = np.clip(wide_street(-10, NAMED_WITHIN_S), -1, 0.05) + np.float32(0.4)
    assert Bench().hear_wide(sound)[-1] is Condition.CLIPPED


@pytest.mark.parametrize("level_dbfs", [-72, -40, -15])
def test_a_street_at_three_times_the_rate_is_no_fault(level_dbfs: float) -> None:
    assert set(Bench().hear_wide(wide_street(level_dbfs, 40))) == {None}


@pytest.mark.parametrize("what", SOUND)
def test_what_a_street_can_sound_like_is_no_fault(what: str) -> None:
    assert set(Bench().hear(SOUND[what])) == {None}


@pytest.mark.parametrize("what", FAULTY)
def test_it_is_over_when_the_street_is_heard_again(what: str) -> None:
    bench = Bench()
    sound, condition = FAULTY[what]
    bench.hear(sound)
    stood = bench.hear(street(-40, OVER_AFTER_S + 1))
    assert stood[0] is condition, "not at the first sound: a bad contact would tell it a hundred times"
    assert stood[-1] is None


def test_a_bad_contact_is_one_fault() -> None:
    bench = Bench()
    bench.hear(flat(0, 20))
    assert set(bench.hear(np.tile(np.append(street(-40, 3), flat(0, 3)), 10))) == {Condition.SILENT}


def test_a_level_at_the_edge_of_a_quiet_night_is_no_row_of_faults() -> None:
    stood = Bench().hear(np.concatenate([noise(-80 + swing, 5) for swing in (-2, 2) * 8]))
    assert sum(before is not after for before, after in pairwise(stood)) <= 1


def test_one_fault_takes_the_place_of_another() -> None:
    bench = Bench()
    bench.hear(flat(0, 20))
    stood = bench.hear(30 * street(-25, 20))
    assert stood[0] is Condition.SILENT
    assert stood[-1] is Condition.CLIPPED


def test_what_was_before_a_lost_microphone_is_not_held_against_it() -> None:
    bench = Bench()
    assert bench.hear(flat(0, 14))[-1] is None
    bench.now_s += 60
    assert bench.hear(flat(0, 14))[-1] is None
    assert bench.hear(flat(0, 6))[-1] is Condition.SILENT


def test_a_fault_stands_over_a_loss_until_sound_says_otherwise() -> None:
    bench = Bench()
    bench.hear(flat(0, 20))
    bench.now_s += 60
    assert bench.hear(street(-40, 1))[-1] is Condition.SILENT


def test_any_bytes_can_be_judged() -> None:
    odd = [b"", b"\x00", b"\xff\x7f\x00", b"\x00\x80" * 7, RNG.bytes(2 * BLOCK_SAMPLES)]
    bench = Bench()
    bench.hear_blocks((pcm, wide) for pcm in odd * 8 for wide in odd)
    assert np.isfinite(bench.check.level_dbfs)


def test_the_level_is_that_of_the_sound_without_the_converters_offset() -> None:
    bench = Bench()
    bench.hear(tone(1000, 0.1, 0.1) + flat(5000, 0.1))
    assert bench.check.level_dbfs == pytest.approx(-23.0, abs=0.1), "a sine lies 3 dB below its peak"
