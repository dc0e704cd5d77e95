"""How a unit's file becomes a configuration."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest

from agent.config.load import load_config
from agent.config.problems import ConfigInvalid
from agent.voice.lexicon import BUNDLED_MODEL
from tests.config.desk import LAB, TLS
from tests.voice.polish import polish_model

if TYPE_CHECKING:
    from tests.config.desk import Desk


def test_a_file_that_is_not_there_is_told(desk: Desk) -> None:
    with pytest.raises(ConfigInvalid, match=r"^nowhere\.yaml: cannot be read: No such file or directory$"):
        load_config(Path("nowhere.yaml"))
    with pytest.raises(ConfigInvalid, match=r": cannot be read: Is a directory$"):
        load_config(desk.folder)


def test_a_private_key_that_others_can_read_is_refused_with_the_remedy(desk: Desk) -> None:
    desk.put_tls_files()
    assert desk.problems(TLS) == []
    key = desk.folder / "key.pem"
    remedy = f"chmod 600 {key}"
    for mode in (0o640, 0o604, 0o620):
        key.chmod(mode)
        assert desk.problems(TLS) == [
            f"unit.yaml:3: uplink.key_file: {key} can be used by others than its owner (mode {mode:04o}); run: {remedy}"
        ]


def test_relative_paths_are_meant_from_the_folder_of_the_file(desk: Desk) -> None:
    (desk.folder / "etc").mkdir()
    desk.write(LAB + "state_folder: ../state\nfootage: {folder: /srv/footage}", "etc/unit.yaml")
    config = load_config(Path("etc/unit.yaml")).config
    assert config.state_folder == desk.folder / "etc/../state"
    assert config.footage.folder == Path("/srv/footage")
    assert config.uplink.ca_file is None


def test_a_file_is_laid_over_its_profile_key_by_key_and_its_lists_replace(desk: Desk) -> None:
    config = desk.load(
        LAB + "inputs: [{name: a, kind: button, pin: 4}]\nlamp: {pin: 5}\nvoice: {enabled: false}"
    ).config
    assert [wired.name for wired in config.inputs] == ["a"]
    assert config.lamp is not None
    assert config.lamp.pin == 5
    assert config.lamp.on_motion == "dark", "the profile's"
    assert not config.voice.enabled
    assert config.voice.phrases, "the profile's"


def test_a_unit_can_do_without_what_its_profile_has(desk: Desk) -> None:
    assert desk.load(LAB + "lamp: null").config.lamp is None


def test_an_anchor_saves_repetition(desk: Desk) -> None:
    config = desk.load(
        LAB + "arming:\n  mode: schedule\n  windows:\n    - {since: &shut 22:00, until: &open 06:00, days: [mon]}\n"
        "    - {since: *shut, until: *open, days: [tue]}\n"
    ).config
    assert config.arming.windows[0].since == config.arming.windows[1].since


def test_the_model_named_by_the_file_is_the_one_that_is_asked(desk: Desk) -> None:
    (desk.folder / "model").symlink_to(BUNDLED_MODEL)
    assert desk.problems(LAB + "voice: {model: model}") == []


def test_the_words_of_a_further_language_are_asked_of_its_own_model(desk: Desk) -> None:
    polish_model(desk.folder / "pl")
    said = "voice:\n  languages:\n    - name: pl\n      model: pl\n      phrases:\n"
    decomposed = normalize("NFD", "pomóż mi")
    loaded = desk.load(LAB + said + f"        - {{say: {decomposed}, label: help-me}}\n")
    (language,) = loaded.config.voice.languages
    assert language.model == desk.folder / "pl"
    assert [phrase.say for phrase in language.phrases] == ["pomóż mi"]
    assert loaded.origins["voice.languages[0].phrases[0].say"] == "unit.yaml:9"
    wrong = "        - {say: pomoz mi, label: help-me}\n        - {say: help, label: help-me}\n"
    unknown, english = desk.problems(LAB + said + wrong)
    key = "voice.languages[0].phrases"
    assert unknown.startswith(
        f'unit.yaml:9: {key}[0].say: the voice model of language pl cannot hear "pomoz"; the nearest it knows: pomóż, '
    )
    assert english.startswith(f'unit.yaml:10: {key}[1].say: the voice model of language pl cannot hear "help"; ')


def test_a_unit_that_does_not_listen_needs_no_model(desk: Desk) -> None:
    assert desk.problems(LAB + "voice: {enabled: false, model: nowhere}") == []


def test_every_value_knows_its_origin(desk: Desk) -> None:
    origins = desk.load(LAB + "lamp:\n  pin: 5\ninputs:\n  - name: a\n    kind: pir\n    pin: 4\n").origins
    assert origins["profile"] == "unit.yaml:1"
    assert origins["unit.id"] == "unit.yaml:2"
    assert origins["lamp.pin"] == "unit.yaml:5"
    assert origins["lamp.on_motion"] == "profile safe-point"
    assert origins["lamp.active"] == "default"
    assert origins["inputs[0].pin"] == "unit.yaml:9"
    assert origins["inputs[0].pull"] == "default"
    assert origins["voice.phrases[0].say"] == "profile safe-point"
    assert origins["voice.decoys"] == "profile safe-point"
    assert origins["uplink.resend_s"] == "default"
    assert not [key for key in origins if key.startswith("inputs[1]")]


def test_a_stored_message_of_more_than_15_s_is_refused_before_anybody_asks_for_it(desk: Desk) -> None:
    with wave.open(str(desk.folder / "long.wav"), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(1)
        recording.setframerate(8000)
        recording.writeframes(bytes(8000 * 16))
    (problem,) = desk.problems(LAB + "speaker:\n  messages: {coming: long.wav}\n")
    assert problem.startswith("unit.yaml:5: speaker.messages.coming: ")
    assert problem.endswith("long.wav lasts 16.0 s, and a message has more than 0 and at most 15 s")


def test_a_unit_starts_without_what_a_worn_card_has_lost_of_its_messages(desk: Desk) -> None:
    (desk.folder / "broken.wav").write_bytes(b"RIFF\x24\x08\x00\x00WAVELIST\xff\xff\xff\x00")
    text = LAB.replace("insecure_lab: true", "insecure_lab: true, uploads: {hosts: [example.org], ca_file: gone.pem}")
    text += "speaker:\n  messages: {coming: gone.wav, going: broken.wav}\n"
    told = "\n".join(desk.problems(text))
    assert all(name in told for name in ("gone.pem cannot be read", "gone.wav cannot be read", "broken.wav is no WAV"))
    assert load_config(desk.write(text), judge_files=False).config.speaker.messages.keys() == {"coming", "going"}
