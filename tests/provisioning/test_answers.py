"""Answers: text from a file or a person, never run by a shell, and every mistake told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.provisioning.provisioner import PROVISIONING, call, converse
from tests.provisioning.terminal import CTRL_C, CTRL_D

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = 2


def read(folder: Path, text: str, then: str = "") -> tuple[int, str, str]:
    answers = folder / "answers"
    answers.write_text(text, encoding="utf-8")
    ended = call(folder, f'read_answers "{answers}"\n{then}')
    return ended.returncode, ended.stdout, ended.stderr


def test_the_example_is_a_file_of_answers_and_leaves_no_question(tmp_path: Path) -> None:
    example = (PROVISIONING / "answers.example").read_text(encoding="utf-8")
    code, out, err = read(tmp_path, example, 'for key in "${ASKED[@]}"; do answered "$key"; done; answer location')
    assert (code, out, err) == (0, "Central Walk, opposite Boots", "")


def test_every_mistake_of_a_file_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    wrong = "unit_id = HK 1\nnonsense\nspeed = 5\nprofile = ../x\nbroker = mqtt://a\norg = a\norg = b\nfootage = sda1\n"
    code, _, err = read(tmp_path, wrong)
    assert code == REFUSED
    for line, what in enumerate(["lower-case", "key = value", "no answer called speed", "is no profile", "mqtts"], 1):
        assert any(f"answers:{line}: " in told and what in told for told in err.splitlines()), (line, err)
    assert "answers:7: org was answered in line 6 already" in err
    assert "answers:8: footage needs 'card'" in err


@pytest.mark.parametrize(
    "text", ["$(touch {0}/run)", "`touch {0}/run`", "; touch {0}/run", "'; touch {0}/run; '", '"\\']
)
def test_an_answer_is_text_and_is_never_run(tmp_path: Path, text: str) -> None:
    said = text.format(tmp_path)
    answers = f"profile = safe-point\nunit_id = u\norg = o\nname = {said}\nlocation = {said}\nfootage = card\n"
    code, out, err = read(tmp_path, answers + "broker = mqtts://b\n", "configuration_text; written_answers >&2")
    assert code == 0
    assert not (tmp_path / "run").exists()
    assert yaml.safe_load(out)["unit"]["name"] == said
    assert f"location = {said}\n" in err


def test_what_was_answered_is_read_again_as_it_was(tmp_path: Path) -> None:
    name = "a = b # \"c\" 'd' \\ é"
    code, out, _ = read(tmp_path, f"name =  {name}  \r\norg = o\n", "written_answers")
    assert code == 0
    again = read(tmp_path, out, "written_answers")
    assert again[1] == out
    assert f"name = {name}\n" in out


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("broker", "mqtts://b:99999", "mqtts://b:65535"),
        ("broker", "mqtts://b:0", "mqtts://b"),
        ("latitude", "999", "-90"),
        ("latitude", "90.1", "53.0388"),
        ("longitude", "-500", "-180"),
        ("longitude", "180.00000001", "180.0"),
        ("timezone", "Europe/Nowhere", "Europe/London"),
        ("second_engine", "maybe", "yes"),
        ("voice_model_url", "http://models.example.org/small.zip", "https://models.example.org/small.zip"),
        ("voice_model_url", "https://me:secret@models.example.org/s.zip", "https://models.example.org/s.zip?v=1@2"),
    ],
)
def test_what_the_agent_would_refuse_later_is_refused_when_it_is_typed(
    tmp_path: Path, key: str, wrong: str, right: str
) -> None:
    zones = f"ZONES={tmp_path}/zones; mkdir -p $ZONES/Europe; touch $ZONES/Europe/London; "
    assert call(tmp_path, f"{zones}mistake_in {key} '{wrong}'").returncode == 1
    assert call(tmp_path, f"{zones}mistake_in {key} '{right}'").returncode == 0


ALONE = "put_folder() { :; }; put_file() { cat; }; TLS=$WORK/tls; ANSWERS=$WORK/mine; answers_step"


def test_a_mistyped_id_can_be_put_right_until_there_is_a_configuration_or_a_key(tmp_path: Path) -> None:
    example = (PROVISIONING / "answers.example").read_text(encoding="utf-8")
    unit = next(line for line in example.splitlines() if line.startswith("unit_id"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state/answers").write_text(example.replace(unit, "unit_id = hk-typo"), encoding="utf-8")
    (tmp_path / "mine").write_text(example, encoding="utf-8")
    assert f"\n{unit}\n" in call(tmp_path, ALONE).stdout
    for there in ("tls/requested.pem", "unit.yaml"):
        (tmp_path / there).parent.mkdir(exist_ok=True)
        (tmp_path / there).touch()
        ended = call(tmp_path, ALONE)
        assert ended.returncode == REFUSED
        assert f"this is the unit hk-typo by {tmp_path}/state/answers" in ended.stderr
        (tmp_path / there).unlink()


BY_HAND = (
    "put_folder() { :; }; put_file() { cat >$folder/saved; }; TLS=$folder/tls; answers_step; echo asked $QUESTIONS"
)
TYPED = ("", "HK 1", "hk-safepoint-001", "ashfield", "Market", "Central Park", "mqtts://b.example.org", "card")
"""At the second question a mistake, which is put once more."""


def shown_places(text: str) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith("     location")]


def test_answers_are_shown_and_saved_when_the_person_says_that_they_are_right(tmp_path: Path) -> None:
    code, text = converse(tmp_path, BY_HAND, (*TYPED, "perhaps", "Y"))
    assert code == 0, text
    listed = text[text.index("These are the answers") : text.index("Is this right?")]
    assert [line.split()[0] for line in listed.splitlines()[1:] if line.strip()] == [
        *("profile", "unit", "org", "name", "location", "broker", "footage")
    ]
    assert "That is neither y nor n" in text
    assert "asked 8" in text
    assert "\nlocation = Central Park\n" in (tmp_path / "saved").read_text(encoding="utf-8")


def test_who_says_no_is_asked_again_with_the_former_answers_as_usual_ones(tmp_path: Path) -> None:
    again = ("", "", "", "", "Central Walk", "", "")
    code, text = converse(tmp_path, BY_HAND, (*TYPED, "n", *again, "y"))
    assert code == 0, text
    assert "[Central Park] > " in text
    assert shown_places(text) == ["Central Park", "Central Walk"]
    saved = (tmp_path / "saved").read_text(encoding="utf-8")
    assert "\nlocation = Central Walk\n" in saved
    assert "\nunit_id = hk-safepoint-001\n" in saved


@pytest.mark.parametrize("typed", [(*TYPED[:3], CTRL_D), (*TYPED[:3], CTRL_C), (*TYPED, CTRL_D), (*TYPED, "n", CTRL_C)])
def test_nothing_is_saved_that_nobody_said_is_right(tmp_path: Path, typed: tuple[str, ...]) -> None:
    code, text = converse(tmp_path, f"trap 'exit 130' INT\n{BY_HAND}", typed)
    assert code == (REFUSED if typed[-1] == CTRL_D else 130), text
    assert ("no answer was saved" in text) is (typed[-1] == CTRL_D)
    assert not (tmp_path / "saved").exists()


def test_what_was_confirmed_once_is_not_asked_again(tmp_path: Path) -> None:
    assert converse(tmp_path, BY_HAND, (*TYPED, "y"))[0] == 0
    (tmp_path / "state").mkdir()
    (tmp_path / "saved").rename(tmp_path / "state/answers")
    code, text = converse(tmp_path, BY_HAND, ())
    assert (code, "asked 0" in text, "Is this right?" in text) == (0, True, False), text


def test_the_id_of_a_unit_that_has_a_key_stays_when_the_other_answers_are_put_right(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/answers").write_text("unit_id = hk-mine\n", encoding="utf-8")
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/requested.pem").touch()
    others = ("", "ashfield", "Market", "Central Walk", "mqtts://b.example.org", "card")
    code, text = converse(tmp_path, BY_HAND, (*others, "n", *[""] * len(others), "y"))
    assert code == 0, text
    assert text.count("The unit's id") == 0
    assert "\nunit_id = hk-mine\n" in (tmp_path / "saved").read_text(encoding="utf-8")


def test_a_file_of_answers_takes_back_the_voice_that_it_leaves_out(tmp_path: Path) -> None:
    """A model that cannot be fetched, or a second engine, must not be wanted for ever by what was saved before."""
    (tmp_path / "state").mkdir()
    mine = "".join(
        f"{line}\n"
        for line in (PROVISIONING / "answers.example").read_text(encoding="utf-8").splitlines()
        if not line.startswith(("voice_", "second_", "#"))
    )
    voice = f"voice_model_url = https://example.org/m.zip\nvoice_model_sha256 = {'0' * 64}\nsecond_engine = yes\n"
    (tmp_path / "mine").write_text(mine, encoding="utf-8")
    for file, saved, wanted in (("ANSWERS=$WORK/mine", mine + voice, ""), ("", mine + voice, voice)):
        (tmp_path / "state/answers").write_text(saved, encoding="utf-8")
        ended = call(tmp_path, f"{ALONE.replace('ANSWERS=$WORK/mine', file or ':')}")
        assert ended.returncode == 0, ended.stderr
        told = {line for line in ended.stdout.splitlines() if line.startswith(("voice_", "second_"))}
        assert told == set(wanted.splitlines())


def test_answers_that_need_each_other_come_together(tmp_path: Path) -> None:
    code, out, _ = read(tmp_path, "latitude = 53.0388\n", "pair_at_fault")
    assert (code, out) == (0, "latitude needs longitude beside it")


def test_without_a_terminal_and_without_a_file_it_says_what_to_do(tmp_path: Path) -> None:
    ended = call(tmp_path, "answered unit_id")
    assert ended.returncode == REFUSED
    assert "use --answers FILE" in ended.stderr


def test_a_file_that_lacks_an_answer_says_which(tmp_path: Path) -> None:
    ended = call(tmp_path, "ANSWERS=mine; answered unit_id")
    assert ended.returncode == REFUSED
    assert "mine has no answer for unit_id" in ended.stderr


def test_a_lab_broker_without_tls_is_for_test_roots_alone(tmp_path: Path) -> None:
    asked = "mistake_in broker mqtt://127.0.0.1:1883"
    assert call(tmp_path, asked).returncode == 1
    assert call(tmp_path, f"TEST_ROOT=yes; {asked}").returncode == 0


def take_key(folder: Path, content: str) -> tuple[int, str]:
    """Let the step take this file, and its folder be below the test's."""
    (folder / "release.pem").write_text(content, encoding="utf-8")
    code, out, err = read(
        folder,
        f"update_key = {folder}/release.pem\n",
        f'UPDATE_KEYS="{folder}/keys"; copy_file() {{ cp "$2" "$3"; }}; mkdir "$UPDATE_KEYS"; take_update_key',
    )
    return code, out + err


def test_the_public_key_of_updates_is_taken_and_a_private_one_never_put_on_a_unit(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "private").mkdir()
    public = "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"
    assert take_key(tmp_path / "public", public) == (0, "")
    assert (tmp_path / "public/keys/release.pem").read_text(encoding="utf-8") == public
    code, told = take_key(tmp_path / "private", public.replace("PUBLIC", "PRIVATE"))
    assert code == REFUSED
    assert "is not the public half of a key" in told
    assert not any((tmp_path / "private/keys").iterdir())


@pytest.mark.parametrize("lonely", ["hardware_kit = street\n", "street_socket = /run/street.sock\n"])
def test_a_bench_without_hardware_is_told_where_its_street_is(tmp_path: Path, lonely: str) -> None:
    code, out, _ = read(tmp_path, lonely, "pair_at_fault")
    assert code == 0
    assert "beside it" in out
    both = "hardware_kit = street\nstreet_socket = /run/street.sock\nname = n\n"
    assert read(tmp_path, both, "pair_at_fault")[1] == ""
    written = yaml.safe_load(read(tmp_path, both, "configuration_text")[1])
    assert written["hardware"] == {"kit": "street", "options": {"street": "/run/street.sock"}}
