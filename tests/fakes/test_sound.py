from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import fakes
from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from agent.voice.gate import level_dbfs
from fakes.sound import LOOP_SAMPLES, StreetSound

HELP_ME = Path(fakes.__file__).parent / "speech/help-me-slt.wav"


def minute(sound: StreetSound) -> bytes:
    return b"".join(sound.next_block() for _ in range(600))


def test_the_same_seed_is_the_same_street() -> None:
    assert minute(StreetSound(seed=1)) == minute(StreetSound(seed=1))
    assert minute(StreetSound(seed=1)) != minute(StreetSound(seed=2))


@pytest.mark.parametrize("level", [-50.0, -30.0])
def test_the_street_is_as_loud_as_it_was_asked_to_be(level: float) -> None:
    assert level_dbfs(minute(StreetSound(seed=3, level_dbfs=level))) == pytest.approx(level, abs=1.0)


def test_cars_make_some_seconds_louder_than_others() -> None:
    sound = minute(StreetSound(seed=4))
    second = 2 * SAMPLE_RATE_HZ
    levels = [level_dbfs(sound[at : at + second]) for at in range(0, len(sound), second)]
    assert max(levels) - min(levels) > 4


def test_the_street_has_no_end_and_no_seam() -> None:
    sound = StreetSound(seed=5)
    blocks = b"".join(sound.next_block() for _ in range(LOOP_SAMPLES // BLOCK_SAMPLES + 2))
    steps = np.abs(np.diff(np.frombuffer(blocks, dtype="<i2").astype(np.int32)))
    assert steps[LOOP_SAMPLES - 1] <= steps[: LOOP_SAMPLES - 1].max()


def test_speech_is_so_much_louder_than_the_street_as_asked() -> None:
    quiet, spoken = StreetSound(seed=6), StreetSound(seed=6)
    spoken.play(HELP_ME, snr_db=12.0)
    added = np.concatenate(
        [np.frombuffer(each.next_block(), "<i2").astype(np.float64) for each in [spoken] for _ in range(10)]
    ) - np.concatenate([np.frombuffer(quiet.next_block(), "<i2") for _ in range(10)])
    loud = added[np.abs(added) > 0.1 * np.abs(added).max()]
    assert 20 * np.log10(np.sqrt(np.mean(loud**2)) / 32768) == pytest.approx(-40 + 12, abs=3)


def test_play_tells_when_the_speech_ends() -> None:
    sound = StreetSound(seed=7, level_dbfs=-90)
    ends_s = sound.play(HELP_ME, snr_db=60)
    with wave.open(str(HELP_ME)) as recording:
        whole_s = recording.getnframes() / recording.getframerate()
    assert whole_s - 0.2 < ends_s < whole_s - 0.05
    heard = b"".join(sound.next_block() for _ in range(15))
    last = round(ends_s * SAMPLE_RATE_HZ) * 2
    assert level_dbfs(heard[last - 3200 : last]) > -50
    assert level_dbfs(heard[last + 3200 :]) < -80


def test_two_voices_can_speak_at_once() -> None:
    one, two = StreetSound(seed=8, level_dbfs=-60), StreetSound(seed=8, level_dbfs=-60)
    one.play(HELP_ME, snr_db=20)
    two.play(HELP_ME, snr_db=20)
    two.play(HELP_ME, snr_db=20)
    louder_db = level_dbfs(b"".join(two.next_block() for _ in range(8))) - level_dbfs(
        b"".join(one.next_block() for _ in range(8))
    )
    assert louder_db == pytest.approx(6, abs=0.5)


def test_a_recording_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fast.wav"
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(2)
        recording.setsampwidth(2)
        recording.setframerate(44_100)
        recording.writeframes(bytes(400))
    with pytest.raises(ValueError, match="is not a 16 kHz mono 16-bit WAV"):
        StreetSound().play(path, 20)
