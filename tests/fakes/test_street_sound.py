from __future__ import annotations

import asyncio
import itertools
import time
import wave
from typing import TYPE_CHECKING

import pytest

from agent.config.hearing import VoiceSettings
from agent.config.settings import SpeakerSettings
from agent.hw.kit import BLOCK_SAMPLES, HardwareLost
from agent.signals import Line
from fakes import plugs
from fakes.street import Street
from tests.fakes.on_street import CountedSound, eventually, kit_on, unit_config

if TYPE_CHECKING:
    from pathlib import Path

    from agent.hw.kit import PcmBlock
    from fakes.witness import Happening


def number_of(block: PcmBlock) -> int:
    return int.from_bytes(block.pcm[:2], "little")


def recording(folder: Path, line: Line, seconds: float) -> str:
    path = folder / f"{line.value}.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(16_000)
        wav.writeframes(bytes(int(32_000 * seconds)))
    return str(path)


async def test_a_spoken_line_is_heard_with_its_time(tmp_path: Path) -> None:
    told: list[Happening] = []
    async with Street(unit_config(), tmp_path, CountedSound(), told.append) as street:
        speaker = kit_on(street).speaker(SpeakerSettings(enabled=True), _not_lost)
        before_s = time.monotonic()
        await asyncio.to_thread(speaker.say, recording(tmp_path, Line.SEEN, 1.5))
        assert await street.heard_line(Line.SEEN) >= before_s
        assert [spoken.line for spoken in street.spoken] == ["seen"]
        speaker.close()
    assert ("speaker", "said 'seen' for 1.5 s") in [(each.who, each.what) for each in told]


async def test_the_microphone_hears_the_speaker_unless_that_is_muffled(tmp_path: Path) -> None:
    sound = CountedSound()
    async with Street(unit_config(), tmp_path, sound) as street:
        speaker = kit_on(street).speaker(SpeakerSettings(enabled=True), _not_lost)
        path = recording(tmp_path, Line.SEEN, 0.1)
        await street.muffle_speaker()
        await asyncio.to_thread(speaker.say, path)
        unheard_s = await street.heard_line(Line.SEEN)
        await street.clear_speaker()
        await asyncio.to_thread(speaker.say, path)
        await street.heard_line(Line.SEEN, since_s=unheard_s + 1e-6)
        speaker.close()
    assert [str(each) for each in sound.echoed] == [path]


async def test_a_missing_recording_is_named_once_and_its_end_too(street: Street, tmp_path: Path) -> None:
    told: list[HardwareLost | None] = []
    speaker = kit_on(street).speaker(SpeakerSettings(), told.append)
    for path in (str(tmp_path / "lost.wav"), str(tmp_path / "lost.wav"), recording(tmp_path, Line.SEEN, 0.1)):
        await asyncio.to_thread(speaker.say, path)
    speaker.close()
    await street.heard_line(Line.SEEN)
    assert [str(each).endswith("lost.wav'") for each in told] == [True, False]
    assert told[-1] is None


def _not_lost(lost: HardwareLost | None) -> None:
    raise AssertionError(lost)


def listen(street: Street, count: int) -> list[tuple[PcmBlock, float]]:
    """So many blocks, each with the time at which it arrived."""
    microphone = kit_on(street).microphone(VoiceSettings())
    try:
        return [(block, time.monotonic()) for block in itertools.islice(microphone.blocks(), count)]
    finally:
        microphone.close()


async def test_a_microphone_hears_every_block_once_and_in_real_time(street: Street) -> None:
    heard = await asyncio.to_thread(listen, street, 6)
    numbers = [number_of(block) for block, _ in heard]
    assert numbers == list(range(numbers[0], numbers[0] + 6))
    assert all(len(block.pcm) == 2 * BLOCK_SAMPLES and block.lost == 0 for block, _ in heard)
    assert all(arrived_s >= block.ended_s for block, arrived_s in heard)
    ends_s = [block.ended_s for block, _ in heard]
    assert [later - earlier for earlier, later in itertools.pairwise(ends_s)] == pytest.approx([0.1] * 5)


async def test_two_microphones_hear_the_same_street(street: Street) -> None:
    one, other = await asyncio.gather(*(asyncio.to_thread(listen, street, 5) for _ in range(2)))
    both = {block.ended_s: block.pcm for block, _ in one}
    shared = [block for block, _ in other if block.ended_s in both]
    assert shared
    assert all(block.pcm == both[block.ended_s] for block in shared)


async def test_what_is_said_ends_when_its_last_sample_has_sounded(tmp_path: Path) -> None:
    sound = CountedSound()
    async with Street(unit_config(), tmp_path, sound) as street:
        before_s = time.monotonic()
        ended_s = await street.say(tmp_path / "help me.wav", snr_db=12.0)
    assert sound.played == [(tmp_path / "help me.wav", 12.0)]
    assert before_s + 1.0 - 0.1 <= ended_s <= time.monotonic()


async def test_an_unplugged_microphone_is_lost_until_it_is_plugged_in(street: Street) -> None:
    listening = asyncio.create_task(asyncio.to_thread(listen, street, 10_000))
    await street.connected("microphone")
    await street.unplug_microphone()
    with pytest.raises(HardwareLost, match="unplugged"):
        await listening
    with pytest.raises(HardwareLost, match="no microphone on the simulated street: it is unplugged"):
        await asyncio.to_thread(listen, street, 1)
    await street.plug_in_microphone()
    assert len(await asyncio.to_thread(listen, street, 2)) == 2


async def test_a_microphone_without_a_sound_for_a_second_is_lost(street: Street) -> None:
    await street.stall_microphone()
    with pytest.raises(HardwareLost, match="no sound for 1 s"):
        await asyncio.to_thread(listen, street, 1)
    await street.wake_microphone()
    assert len(await asyncio.to_thread(listen, street, 2)) == 2


async def test_a_closed_microphone_ends_without_complaint(street: Street) -> None:
    microphone = await asyncio.to_thread(kit_on(street).microphone, VoiceSettings())
    blocks = microphone.blocks()
    await asyncio.to_thread(next, blocks)
    rest = asyncio.create_task(asyncio.to_thread(list[object], blocks))
    await asyncio.to_thread(microphone.close)
    await rest
    assert list(microphone.blocks()) == []


async def test_a_reader_that_hangs_loses_counted_blocks_and_no_others(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugs, "BACKLOG_BYTES", 10 * 2 * BLOCK_SAMPLES)
    microphone = await asyncio.to_thread(kit_on(street).microphone, VoiceSettings())
    await eventually(street, lambda: any(street._microphones._missed.values()))
    blocks = microphone.blocks()
    heard = [await asyncio.to_thread(next, blocks)]
    while not heard[-1].lost:
        heard.append(await asyncio.to_thread(next, blocks))
    assert all(number_of(later) == number_of(earlier) + 1 + later.lost for earlier, later in itertools.pairwise(heard))
    await asyncio.to_thread(microphone.close)
