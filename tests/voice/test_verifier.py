"""The second engine, the real one: what fits a sound, and one sentence where it cannot be had."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING

import pytest

from agent.helpers.patience import STARTED_WITHIN_S
from agent.voice import verifier as verifier_module
from agent.voice.verifier import DECODER, ENCODER, PIECES, Moonshine, VerifierUnusable, installed, load, ways_to_write
from tests.voice.sounds import CALLS, SPEECH, TALK

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from pathlib import Path

SAID_FROM, NOT_SAID_TO = -6.0, -8.0
"""Nats: the least likely of the committed calls is "help me" by rms at -5.4, the likeliest of all others "please help"
in talk of a helmet."""


def pcm(name: str) -> bytes:
    """A committed utterance; 44 bytes are its header."""
    return (SPEECH / f"{name}.wav").read_bytes()[44:]


def test_what_was_said_fits_and_what_was_not_does_not() -> None:
    for text, names in CALLS.items():
        for name in names:
            assert load().fit(text, pcm(name)) >= SAID_FROM, name
            for other in CALLS.keys() - {text}:
                assert load().fit(other, pcm(name)) <= NOT_SAID_TO, (name, other)
    for name in TALK:
        for text in (*CALLS, "please help"):
            assert load().fit(text, pcm(name)) <= NOT_SAID_TO, (name, text)


def test_how_likely_a_text_is_does_not_depend_on_what_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ways to write it are computed together, the shorter ones filled up."""
    alone = []
    ways = ways_to_write("help me")
    for way in ways:
        monkeypatch.setattr(verifier_module, "ways_to_write", lambda _text, way=way: [way])
        alone.append(load().fit("help me", pcm("help-me-slt")))
    monkeypatch.undo()
    assert load().fit("help me", pcm("help-me-slt")) == pytest.approx(
        max(alone), abs=0.2
    )  # 8-bit layers scale by batch


def test_the_words_may_stand_in_a_sentence_begin_one_or_be_a_name() -> None:
    assert ways_to_write("snow boy") == ["snow boy", "Snow boy", "Snow Boy", "Snowboy"]
    assert ways_to_write("alexa") == ["alexa", "Alexa"]


@pytest.mark.parametrize("sound", [b"", bytes(2), bytes(32_000), b"\xff\x7f" * 8000, b"\x00\x80\xff\x7f" * 20_000])
def test_no_sound_silence_and_noise_fit_no_phrase(sound: bytes) -> None:
    assert load().fit("call the police", sound) <= NOT_SAID_TO


@pytest.mark.parametrize("package", ["onnxruntime", "moonshine_voice"])
def test_where_a_package_is_missing_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    find: Callable[[str], ModuleSpec | None] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(VerifierUnusable, match=f"the package {package.replace('_', '-')} is not installed; install"):
        installed()


def test_where_the_package_has_no_network_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "moonshine_voice").mkdir()
    (tmp_path / "moonshine_voice/__init__.py").write_text("raise RuntimeError('it must not be imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(VerifierUnusable, match=rf"tiny-en/{ENCODER} is missing; install moonshine-voice 0\.0\.45"):
        installed()


@pytest.mark.parametrize("name", [ENCODER, DECODER, PIECES])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut short", "not one"])
def test_a_damaged_network_is_one_sentence(tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    for each in (ENCODER, DECODER, PIECES):
        (folder / each).symlink_to(installed() / each)
    (folder / name).unlink()
    if damage == "cut short":
        shutil.copy(installed() / name, folder / name)
        with (folder / name).open("r+b") as file:
            file.truncate(100_001)
    elif damage != "missing":
        (folder / name).write_bytes(b"" if damage == "empty" else b"\xff" * 5000)
    with pytest.raises(VerifierUnusable, match=r"the second engine at .*net cannot be used \(.+\); install") as refused:
        Moonshine(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("program", "why"),
    [("kill -9 $$", "it ends the process that loads it"), ("exec sleep 600", "it did not load within")],
)
def test_a_network_that_hangs_or_ends_its_process_is_found_in_another_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, why: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{program}\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setattr(verifier_module, "LOADED_WITHIN_S", 1.0)
    load.cache_clear()
    with pytest.raises(VerifierUnusable, match=why):
        load()


def test_a_network_that_loads_and_cannot_answer_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    load.cache_clear()
    with pytest.raises(VerifierUnusable, match="it fails when it is asked"):
        load()


def test_a_second_engine_that_hangs_is_given_up_before_the_listener_is_taken_for_hung() -> None:
    assert verifier_module.LOADED_WITHIN_S < STARTED_WITHIN_S / 2, "the voice model is loaded in the same time"
