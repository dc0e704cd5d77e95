"""The microphone of a unit: what reaches the listener, and when it is lost."""

from __future__ import annotations

import itertools
import sys
import time
from typing import TYPE_CHECKING

import pytest

from agent.hw import ending, opening
from agent.hw.decimator import Decimator
from agent.hw.kit import SAMPLE_RATE_HZ, WIDE_RATE_HZ, HardwareHangs, HardwareLost
from agent.hw.sound_input import QUEUE_BLOCKS, DeviceMicrophone
from tests.hw.sounds import BenchStream, alsa_device_that_plays, noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = noise(1)


@pytest.fixture
def stream() -> BenchStream:
    return BenchStream()


@pytest.fixture
def microphone(stream: BenchStream) -> Iterator[DeviceMicrophone]:
    microphone = DeviceMicrophone("bench", stream.open)
    yield microphone
    stream.thaw()
    microphone.close()


def test_a_real_device_is_heard_sample_by_sample(tmp_path: Path) -> None:
    pcm = noise(QUEUE_BLOCKS)
    with alsa_device_that_plays(pcm, tmp_path) as device:
        microphone = DeviceMicrophone(device)
        try:
            blocks = list(itertools.islice(microphone.blocks(), QUEUE_BLOCKS))
        finally:
            microphone.close()

    assert b"".join(block.pcm for block in blocks) == pcm
    assert {block.lost for block in blocks} == {0}, "a device this fast outruns the reader, but the queue holds these"


def test_a_wide_capture_is_heard_sample_by_sample_and_at_16_khz_as_well(tmp_path: Path) -> None:
    pcm = noise(30)
    with alsa_device_that_plays(pcm, tmp_path) as device:
        microphone = DeviceMicrophone(device, wide=True)
        try:
            blocks = list(itertools.islice(microphone.blocks(), 10))
        finally:
            microphone.close()

    assert b"".join(block.wide for block in blocks) == pcm
    assert b"".join(block.pcm for block in blocks) == Decimator().feed(pcm)


def test_only_a_wide_capture_asks_the_device_for_48_khz(stream: BenchStream, microphone: DeviceMicrophone) -> None:
    assert stream.rate_hz == SAMPLE_RATE_HZ
    stream.sound(BLOCK)
    assert next(microphone.blocks()).wide == b""
    other = BenchStream()
    DeviceMicrophone("bench", other.open, wide=True).close()
    assert other.rate_hz == WIDE_RATE_HZ


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        alsa_device_that_plays(b"", tmp_path),
        pytest.raises(HardwareLost, match=r"the microphone 'no-such-microphone' cannot be opened at 16 kHz: "),
    ):
        DeviceMicrophone("no-such-microphone")


def test_a_missing_portaudio_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoPortAudio:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                msg = "PortAudio library not found"
                raise OSError(msg)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoPortAudio(), *sys.meta_path])
    with pytest.raises(HardwareLost, match="apt install libportaudio2"):
        DeviceMicrophone(None)


def test_blocks_that_a_slow_listener_loses_are_counted_in_the_next_one(
    stream: BenchStream, microphone: DeviceMicrophone
) -> None:
    stream.sound(*[BLOCK] * (QUEUE_BLOCKS + 3))
    blocks = microphone.blocks()
    read = list(itertools.islice(blocks, QUEUE_BLOCKS))
    stream.sound(BLOCK, BLOCK)

    assert [block.lost for block in read] == [0] * QUEUE_BLOCKS
    assert [next(blocks).lost, next(blocks).lost] == [3, 0]


def test_sound_that_portaudio_lost_is_counted(stream: BenchStream, microphone: DeviceMicrophone) -> None:
    stream.sound(BLOCK, overflowed=True)

    assert next(microphone.blocks()).lost == 1


@pytest.mark.parametrize(("age_s", "believed_s"), [(0.02, 0.02), (-0.1, 0.0), (86_400.0, 0.0)])
def test_a_block_ended_when_its_last_sample_was_taken(
    stream: BenchStream, microphone: DeviceMicrophone, age_s: float, believed_s: float
) -> None:
    before_s = time.monotonic()
    stream.sound(BLOCK, age_s=age_s)
    after_s = time.monotonic()

    assert before_s <= next(microphone.blocks()).ended_s + believed_s <= after_s


def test_a_device_that_vanishes_is_lost(stream: BenchStream, microphone: DeviceMicrophone) -> None:
    stream.vanish()

    with pytest.raises(HardwareLost, match="the microphone 'bench' went away"):
        next(microphone.blocks())


def test_a_device_that_gives_nothing_for_a_second_is_lost(stream: BenchStream, microphone: DeviceMicrophone) -> None:
    stream.sound(BLOCK)
    blocks = microphone.blocks()
    next(blocks)

    with pytest.raises(HardwareLost, match="the microphone 'bench' gave nothing for 1 s"):
        next(blocks)


def test_close_frees_the_device(stream: BenchStream, microphone: DeviceMicrophone) -> None:
    microphone.close()

    assert stream.closed
    assert list(microphone.blocks()) == []


def test_a_sound_server_that_hangs_at_the_end_is_told_and_not_waited_for(
    stream: BenchStream, microphone: DeviceMicrophone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "ENDS_WITHIN_S", 0.05)
    stream.freeze()
    with pytest.raises(HardwareHangs, match="does not come back from being stopped"):
        microphone.close()

    assert not stream.closed


def test_a_sound_server_that_hangs_at_the_start_is_told_and_not_waited_for(
    stream: BenchStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "OPENS_WITHIN_S", 0.05)
    stream.freeze()
    with pytest.raises(HardwareHangs, match="does not come back from being opened"):
        DeviceMicrophone("bench", stream.open)
    stream.thaw()
