"""The speaker: the real `aplay` on an ALSA device that writes what it plays into a file, and worse ones."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
import wave
from typing import TYPE_CHECKING

import pytest

from agent.hw import aplay as aplay_module
from agent.hw.aplay import ApSpeaker
from agent.hw.lines import line_path
from agent.signals import Line
from tests.hw.wires import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.hw.kit import HardwareLost


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file into which the device "bench" plays."""
    if shutil.which("aplay") is None:
        pytest.fail("aplay is missing: apt install alsa-utils (./dev does it)")
    played = tmp_path / "played.raw"
    alsa = tmp_path / "asound.conf"
    alsa.write_text(
        f'pcm.silent {{ type null }}\npcm.bench {{ type file slave.pcm "silent" file "{played}" format "raw" }}\n',
        encoding="ascii",
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(alsa))
    return played


@pytest.fixture
def in_the_place_of_aplay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in aplay's place; its fourth argument is the line's file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "aplay"
    script.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(commands: str) -> None:
        script.write_text(f"#!/bin/sh\n{commands}\n", encoding="ascii")

    return write


@contextlib.contextmanager
def speaker_on(device: str) -> Iterator[tuple[ApSpeaker, list[HardwareLost | None]]]:
    told: list[HardwareLost | None] = []
    speaker = ApSpeaker(device, told.append)
    try:
        yield speaker, told
    finally:
        speaker.close()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child hangs because two busy cores are late to start or to bury it: a test of hanging sets its own limit."""
    for name in ("START_WITHIN_S", "REAPED_WITHIN_S", "LINE_LIMIT_S"):
        monkeypatch.setattr(aplay_module, name, PATIENCE_S)


def recorded(raw: Path) -> bytes:
    return raw.read_bytes()


def samples(wav: Path) -> bytes:
    with wave.open(str(wav), "rb") as sound:
        return sound.readframes(sound.getnframes())


@pytest.mark.parametrize("line", Line)
async def test_every_line_reaches_the_device_sample_by_sample(played: Path, line: Line) -> None:
    words = samples(line_path(line))
    with speaker_on("bench") as (speaker, told):
        speaker.say(str(line_path(line)))
        await until(lambda: played.exists() and played.stat().st_size >= len(words))
        await until(lambda: speaker._playing is None)

    heard = recorded(played)
    assert heard.startswith(words)
    assert not any(heard[len(words) :]), "aplay fills its last period with silence"
    assert told == []


async def test_a_message_that_grew_since_it_was_measured_ends_after_15_s_and_the_speaker_is_well(
    played: Path, tmp_path: Path
) -> None:
    grown, second = tmp_path / "grown.wav", b"\1\2" * 8000
    with wave.open(str(grown), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(8000)
        recording.writeframes(second * 17)
    with speaker_on("bench") as (speaker, told):
        speaker.say(str(grown))
        await until(lambda: played.exists() and played.stat().st_size >= 15 * len(second))
        await until(lambda: speaker._playing is None)
    assert recorded(played).strip(b"\0") == second * 15
    assert told == []


async def test_a_device_that_is_not_there_is_told_once_and_again_when_it_is_back(
    played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = str(line_path(Line.HEARD))
    empty = tmp_path / "empty.conf"
    empty.touch()
    good = tmp_path / "asound.conf"
    with speaker_on("bench") as (speaker, told):
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(empty))
        for _ in range(2):
            speaker.say(line)
            await until(lambda: speaker._starting is None and speaker._playing is None)
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(good))
        speaker.say(line)
        await until(lambda: len(told) == 2)

    lost, back = told
    assert "aplay cannot play on 'bench': aplay: " in str(lost)
    assert back is None
    assert recorded(played).startswith(samples(line_path(Line.HEARD)))


async def test_a_missing_aplay_names_the_package_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with speaker_on("bench") as (speaker, told):
        speaker.say("line.wav")
        await until(lambda: told)

    assert [str(lost) for lost in told] == ["aplay is not installed: apt install alsa-utils"]


async def test_a_newer_line_replaces_the_one_that_is_playing(
    in_the_place_of_aplay: Callable[[str], None], tmp_path: Path
) -> None:
    log = tmp_path / "played"
    in_the_place_of_aplay(f'echo "$4" >> {log}\nexec sleep 600')
    with speaker_on("bench") as (speaker, told):
        speaker.say("first.wav")
        await until(lambda: log.exists() and log.read_text())
        for line in ("second.wav", "third.wav"):
            speaker.say(line)
        await until(lambda: "third.wav" in log.read_text())

    assert log.read_text().split() == ["first.wav", "third.wav"], "the second was replaced before it could start"
    assert told == []


async def test_a_line_that_ignores_being_asked_to_end_is_killed_for_the_next(
    in_the_place_of_aplay: Callable[[str], None], tmp_path: Path
) -> None:
    log = tmp_path / "played"
    in_the_place_of_aplay(f'trap "" TERM\necho "$4" >> {log}\nwhile :; do sleep 0.05; done')
    with speaker_on("bench") as (speaker, _):
        speaker.say("first.wav")
        await until(lambda: log.exists() and log.read_text())
        speaker.say("second.wav")
        await until(lambda: log.read_text().split() == ["first.wav", "second.wav"])


async def test_a_hung_device_is_told_and_does_not_keep_the_speaker(
    in_the_place_of_aplay: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aplay_module, "LINE_LIMIT_S", 0.05)
    hung = tmp_path / "hung"
    hung.touch()
    in_the_place_of_aplay(f"[ -e {hung} ] && exec sleep 600\nexit 0")
    with speaker_on("bench") as (speaker, told):
        speaker.say("line.wav")
        await until(lambda: told and speaker._playing is None)
        assert str(told[0]) == "the sound device 'bench' hangs"
        hung.unlink()
        monkeypatch.setattr(aplay_module, "LINE_LIMIT_S", PATIENCE_S)
        speaker.say("line.wav")
        await until(lambda: told[1:] == [None])


async def test_close_ends_the_line_that_is_playing(
    in_the_place_of_aplay: Callable[[str], None], tmp_path: Path
) -> None:
    log = tmp_path / "played"
    in_the_place_of_aplay(f"echo $$ > {log}\nexec sleep 600")
    with speaker_on("bench") as (speaker, told):
        speaker.say("line.wav")
        await until(lambda: log.exists() and log.read_text())
    speaker.say("after-close.wav")

    assert told == []  # and the leak police sees no child


async def test_a_start_that_hangs_with_the_disk_holds_nothing_up_and_the_newest_line_is_played_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aplay_module, "START_WITHIN_S", 0.05)
    gives, asked = threading.Event(), list[str]()

    def launch(_device: str, wav_path: str) -> subprocess.Popen[bytes]:
        asked.append(wav_path)
        gives.wait()
        return subprocess.Popen(["true" if wav_path == "third" else "sleep", "60"], stderr=subprocess.PIPE)

    told: list[HardwareLost | None] = []
    speaker = ApSpeaker("bench", told.append, launch)
    try:
        speaker.say("first")
        await until(lambda: asked and len(told) == 1)  # the loop goes on meanwhile
        assert "the disk does not answer" in str(told[0])
        speaker.say("second")
        speaker.say("third")
        assert asked == ["first"], "one start at a time"
        monkeypatch.setattr(aplay_module, "START_WITHIN_S", PATIENCE_S)
        gives.set()
        await until(lambda: told[1:] == [None])
        assert asked == ["first", "third"]
    finally:
        gives.set()
        speaker.close()


async def test_a_child_that_appears_after_the_close_is_ended() -> None:
    gives, children = threading.Event(), list[subprocess.Popen[bytes]]()

    def launch(_device: str, _wav_path: str) -> subprocess.Popen[bytes]:
        gives.wait()
        children.append(subprocess.Popen(["sleep", "60"], stderr=subprocess.PIPE))
        return children[0]

    speaker = ApSpeaker("bench", lambda _lost: None, launch)
    speaker.say("first")
    speaker.close()
    gives.set()
    await until(lambda: bool(children) and children[0].returncode is not None)
