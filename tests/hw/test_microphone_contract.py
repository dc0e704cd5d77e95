"""What every microphone promises, whatever it hears with."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agent.config.hearing import MeterSettings, VoiceSettings
from agent.hw.kit import BLOCK_SAMPLES, WIDE_BLOCK_SAMPLES
from agent.hw.sound_input import DeviceMicrophone
from fakes.street import Street
from tests.fakes.on_street import CountedSound, kit_on, unit_config
from tests.hw.sounds import BenchStream, alsa_device_that_plays, noise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.hw.kit import Microphone, PcmBlock


@contextlib.asynccontextmanager
async def on_alsa(folder: Path, *, wide: bool) -> AsyncIterator[Microphone]:
    """The real thing: PortAudio on an ALSA device."""
    with alsa_device_that_plays(noise(100), folder) as device:
        yield DeviceMicrophone(device, wide=wide)


@contextlib.asynccontextmanager
async def on_bench(_: Path, *, wide: bool) -> AsyncIterator[Microphone]:
    """The same, played by hand."""
    stream = BenchStream()
    microphone = DeviceMicrophone("bench", stream.open, wide=wide)
    block = noise(WIDE_BLOCK_SAMPLES // BLOCK_SAMPLES if wide else 1)
    stopped = threading.Event()

    def play() -> None:
        while not stopped.wait(0.01):
            stream.sound(block)

    player = threading.Thread(target=play)
    player.start()
    try:
        yield microphone
    finally:
        stopped.set()
        player.join()


@contextlib.asynccontextmanager
async def on_street(folder: Path, *, wide: bool) -> AsyncIterator[Microphone]:
    """The simulated street's."""
    async with Street(unit_config(), folder, CountedSound()) as street:
        yield await asyncio.to_thread(kit_on(street).microphone, VoiceSettings(meter=MeterSettings(enabled=wide)))


@pytest.fixture(params=[False, True], ids=["narrow", "wide"])
def wide(request: pytest.FixtureRequest) -> bool:
    """Whether a sound level meter is on."""
    return bool(request.param)


@pytest.fixture(params=[on_alsa, on_bench, on_street])
async def microphone(request: pytest.FixtureRequest, tmp_path: Path, *, wide: bool) -> AsyncIterator[Microphone]:
    async with request.param(tmp_path, wide=wide) as microphone:
        try:
            yield microphone
        finally:
            await asyncio.to_thread(microphone.close)


def read(microphone: Microphone, count: int) -> list[tuple[PcmBlock, float]]:
    """So many blocks, each with the time at which it came."""
    return [(block, time.monotonic()) for block in itertools.islice(microphone.blocks(), count)]


async def test_blocks_are_whole(microphone: Microphone, *, wide: bool) -> None:
    blocks = await asyncio.to_thread(read, microphone, 5)

    assert [len(block.pcm) for block, _ in blocks] == [2 * BLOCK_SAMPLES] * 5
    assert [len(block.wide) for block, _ in blocks] == [2 * WIDE_BLOCK_SAMPLES if wide else 0] * 5


async def test_a_block_ended_before_it_came_and_after_the_one_before(microphone: Microphone) -> None:
    blocks = await asyncio.to_thread(read, microphone, 5)
    ended_s = [block.ended_s for block, _ in blocks]

    assert all(block.ended_s <= came_s for block, came_s in blocks)
    assert ended_s == sorted(ended_s)


async def test_nothing_is_lost_before_the_first_block(microphone: Microphone) -> None:
    ((first, _),) = await asyncio.to_thread(read, microphone, 1)

    assert first.lost == 0


async def test_close_ends_the_blocks_of_a_waiting_reader(microphone: Microphone) -> None:
    def read_to_the_end() -> int:
        return sum(1 for _ in microphone.blocks())

    reading = asyncio.to_thread(read_to_the_end)
    await asyncio.wait_for(asyncio.gather(reading, asyncio.to_thread(microphone.close)), 60)
