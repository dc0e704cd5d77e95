"""The spoken lines that ship with the unit."""

from __future__ import annotations

import array
import json
import math
import shutil
import subprocess
import wave
from pathlib import Path

import pytest

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.hw.lines import FOLDER, line_path
from agent.signals import Line

BUILD = Path(__file__).parents[2] / "provisioning/spoken-lines/build"


def loudness_db(path: Path) -> float:
    """Mean level below full scale."""
    with wave.open(str(path), "rb") as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    return 10 * math.log10(sum(s * s for s in samples) / len(samples) / 32768**2)


def test_every_line_has_its_words_and_no_words_are_left_over() -> None:
    words = json.loads((FOLDER / "lines.json").read_text(encoding="utf-8"))

    assert set(words) == {line.value for line in Line}


@pytest.mark.parametrize("line", Line)
def test_every_line_is_a_short_recording_that_any_sound_card_plays(line: Line) -> None:
    with wave.open(str(line_path(line)), "rb") as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (SAMPLE_RATE_HZ, 1, 2)
        assert 1.0 <= sound.getnframes() / SAMPLE_RATE_HZ <= 5.0
    assert line_path(line).stat().st_size < 150_000


def test_all_lines_are_equally_loud() -> None:
    levels_db = [loudness_db(line_path(line)) for line in Line]

    assert max(levels_db) - min(levels_db) < 1.0


@pytest.mark.skipif(
    not all(map(shutil.which, ("flite", "sox"))), reason="cannot rebuild the spoken lines: apt install flite sox"
)
def test_building_the_lines_again_gives_the_same_bytes(tmp_path: Path) -> None:
    lines = tmp_path / "agent/hw/lines"
    lines.mkdir(parents=True)
    shutil.copy(FOLDER / "lines.json", lines)
    build = tmp_path / "provisioning/spoken-lines/build"
    build.parent.mkdir(parents=True)
    shutil.copy(BUILD, build)

    subprocess.run([build], check=True, capture_output=True)

    for line in Line:
        assert (lines / line_path(line).name).read_bytes() == line_path(line).read_bytes(), line
