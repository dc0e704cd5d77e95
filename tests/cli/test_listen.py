from __future__ import annotations

import json
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import pytest

import fakes
from agent.cli.main import EXIT_BAD_INPUT, main
from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.lexicon import BUNDLED_MODEL
from tests.voice.polish import polish_model

SPEECH = Path(fakes.__file__).parent / "speech"
HELP_ME = SPEECH / "help-me-slt.wav"
POLICE = SPEECH / "call-the-police-rms.wav"
WEATHER = SPEECH / "talk-weather-slt.wav"


def refusal(capsys: pytest.CaptureFixture[str], *args: str | Path) -> str:
    """The one sentence with which `safepoint listen` refuses these arguments."""
    assert main(["listen", *map(str, args)]) == EXIT_BAD_INPUT
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return told.err


def recording(path: Path, *, rate: int = 16_000, channels: int = 1, width: int = 2, frames: int = 1600) -> Path:
    with wave.open(str(path), "wb") as wav:
        wav.setframerate(rate)
        wav.setnchannels(channels)
        wav.setsampwidth(width)
        wav.writeframes(bytes(frames * channels * width))
    return path


def test_each_phrase_heard_is_one_json_object_a_line_and_nothing_else_is_on_stdout() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli.main", "listen", HELP_ME, WEATHER, POLICE],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["file"], each["phrase"]) for each in found] == [
        (str(HELP_ME), "help me"),
        (str(POLICE), "call the police"),
    ]
    for each in found:
        assert set(each) == {"file", "phrase", "start_s", "end_s", "decided_s", "confidence"}
        assert 0 <= each["start_s"] < each["end_s"] <= each["decided_s"]
        assert 0.6 <= each["confidence"] <= 1
    assert done.stderr == ""


def test_a_call_that_fills_its_recording_from_the_first_sample_to_the_last_is_heard(
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls = sorted(map(str, set(SPEECH.glob("*.wav")) - set(SPEECH.glob("talk-*.wav"))))
    assert main(["listen", *calls]) == 0
    assert [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()] == calls


def test_every_file_is_heard_by_a_fresh_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", str(HELP_ME), str(HELP_ME)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_a_phrase_is_told_as_it_was_given_and_replaces_the_configured_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--phrase", "Call the POLICE!", str(HELP_ME), str(POLICE)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["phrase"] == "Call the POLICE!"


def test_two_phrases_right_behind_each_other_are_two_calls(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    both = tmp_path / "both.wav"
    with wave.open(str(both), "wb") as joined:
        for number, part in enumerate((HELP_ME, POLICE)):
            with wave.open(str(part), "rb") as recording:
                if not number:
                    joined.setparams(recording.getparams())
                joined.writeframes(recording.readframes(recording.getnframes()) + bytes(2 * SAMPLE_RATE_HZ))
    assert main(["listen", "--phrase", "help me", "--phrase", "call the police", str(both)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["phrase"] for line in lines] == ["help me", "call the police"]


def test_a_unit_listens_for_its_own_phrases(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("unit.yaml").write_text(
        "profile: safe-point\n"
        'unit: {id: hk-001, org: ashfield, name: Central Walk, location: "North end"}\n'
        'uplink: {broker: "mqtt://localhost", insecure_lab: true}\n'
        "voice: {phrases: [{say: call the police, label: police}]}\n",
        encoding="utf-8",
    )
    assert main(["listen", "--config", "unit.yaml", str(HELP_ME), str(POLICE)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["phrase"] == "call the police"


def test_a_unit_listens_for_its_further_languages_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    polish_model(tmp_path / "pl")
    Path("unit.yaml").write_text(
        "profile: safe-point\n"
        'unit: {id: hk-001, org: ashfield, name: Central Walk, location: "North end"}\n'
        'uplink: {broker: "mqtt://localhost", insecure_lab: true}\n'
        "voice:\n"
        "  phrases: [{say: call the police, label: police}]\n"
        "  languages: [{name: pl, model: pl, phrases: [{say: pomóż mi, label: help-me}]}]\n",
        encoding="utf-8",
    )
    assert main(["listen", "--config", "unit.yaml", str(HELP_ME), str(POLICE)]) == 0
    heard = [json.loads(line)["phrase"] for line in capsys.readouterr().out.splitlines()]
    assert heard == ["pomóż mi", "call the police"]


def test_a_recording_cut_short_in_the_middle_of_a_sample_is_heard_as_far_as_it_goes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(HELP_ME.read_bytes()[:-101])
    assert main(["listen", str(cut)]) == 0
    assert json.loads(capsys.readouterr().out)["phrase"] == "help me"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rate": 44_100}, "it has 44100 samples a second"),
        ({"channels": 2}, "it has 2 channels"),
        ({"width": 1}, "it has 8 bits a sample"),
        ({"frames": 0}, "it holds no sound"),
    ],
)
def test_a_recording_of_another_format_is_refused_with_the_command_that_mends_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wrong: dict[str, int], told: str
) -> None:
    path = recording(tmp_path / "a b.wav", **wrong)
    sentence = refusal(capsys, HELP_ME, path)
    assert f"{path} must be a 16 kHz mono 16-bit WAV, but {told}" in sentence
    assert f"sox '{path}' -r 16000 -c 1 -b 16 " in sentence


LONGER_THAN_THE_FILE = b"RIFF\x24\x08\x00\x00WAVELIST\xff\xff\xff\x00"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3\x04 this is music", bytes(5000), LONGER_THAN_THE_FILE])
def test_a_file_that_is_no_recording_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(content)
    assert "it is not a PCM WAV file" in refusal(capsys, path)


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert f"{tmp_path / 'gone.wav'} cannot be read: No such file" in refusal(capsys, tmp_path / "gone.wav")


def test_an_unknown_word_is_refused_with_the_nearest_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = refusal(capsys, "--phrase", "halp me", HELP_ME)
    assert '"halp"' in sentence
    assert "help" in sentence.split("it knows")[1]


def test_a_phrase_without_words_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "has no word in it" in refusal(capsys, "--phrase", " ! ", HELP_ME)


def test_a_missing_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "there is no voice model at" in refusal(capsys, "--model", tmp_path / "none", HELP_ME)


def test_a_model_that_cannot_be_looked_at_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sentence = refusal(capsys, "--model", tmp_path / ("m" * 300), HELP_ME)
    assert "cannot be used: " in sentence
    assert "cannot be read: File name too long" in sentence


def test_a_truncated_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = shutil.copytree(BUNDLED_MODEL, tmp_path / "model")
    network = model / "am/final.mdl"
    network.write_bytes(network.read_bytes()[:100_000])
    assert "is damaged: am/final.mdl is not as it was made; install it again" in refusal(
        capsys, "--model", model, HELP_ME
    )
