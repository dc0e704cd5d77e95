from __future__ import annotations

import importlib.util
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.cli.main import main
from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.verifier import load
from fakes.authority import Authority
from tests.config.desk import LAB
from tests.voice.polish import polish_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec

    from tests.config.desk import Desk


def test_a_good_file_is_one_line_on_stdout(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write(LAB)
    assert main(["check", "unit.yaml"]) == 0
    assert capsys.readouterr() == ("unit.yaml: the configuration of hk-001 (profile safe-point) is valid\n", "")


def test_a_bad_file_is_a_line_for_each_problem_on_stderr(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write(LAB + "lamp: {pin: no}\nlampe: 1\n")
    assert main(["check", "unit.yaml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "unit.yaml:4: lamp.pin: needs a whole number from 0 to 27, got no (text)",
        "unit.yaml:5: lampe: is not a known key; did you mean lamp?",
    ]


def test_a_file_that_is_not_there_is_one_sentence(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert not (desk.folder / "nowhere.yaml").exists()
    assert main(["check", "nowhere.yaml"]) == 2
    assert capsys.readouterr() == ("", "nowhere.yaml: cannot be read: No such file or directory\n")


SIGNED = "signage: {operator: Ashfield Council, contact: 01632 960001}\n"


@pytest.fixture
def with_tls(desk: Desk) -> Authority:
    """unit.yaml of hk-001, whose files are still to be issued."""
    desk.write(
        LAB.replace("mqtt://localhost", "mqtts://localhost").replace(
            "insecure_lab: true", "ca_file: pki/ca.crt, cert_file: pki/hk-001.crt, key_file: pki/hk-001.key"
        )
        + SIGNED
    )
    return Authority(desk.folder / "pki")


def test_certificates_that_a_broker_would_take_are_valid(
    with_tls: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    with_tls.issue_client("hk-001")
    assert main(["check", "unit.yaml"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("signage", "warned"),
    [
        ("", "without signage.operator and signage.contact"),
        ("signage: {operator: Ashfield Council}\n", "without signage.contact,"),
        ("camera: {enabled: false}\n", "without signage.operator and signage.contact"),
        ("camera: {enabled: false}\nvoice: {enabled: false, meter: {enabled: false}}\n", None),
    ],
)
def test_a_unit_that_films_or_hears_without_anybody_to_ask_is_warned_of_and_valid(
    with_tls: Authority, desk: Desk, capsys: pytest.CaptureFixture[str], signage: str, warned: str | None
) -> None:
    with_tls.issue_client("hk-001")
    file = desk.folder / "unit.yaml"
    desk.write(file.read_text().replace(SIGNED, signage))
    assert main(["check", "unit.yaml"]) == 0
    told = capsys.readouterr().err
    if warned is None:
        assert told == ""
    else:
        assert told.startswith("unit.yaml: warning: no sign can be made ")
        assert warned in told
        assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("missing", "unit.yaml:3: uplink.key_file: {pki}/hk-001.key cannot be read: No such file or directory"),
        ("nonsense", "unit.yaml: uplink: ca_file {pki}/ca.crt holds no certificate: "),
        ("of another", "unit.yaml: uplink.cert_file: {pki}/hk-001.crt is the certificate of hk-002, not of hk-001"),
        (
            "a pair",
            "unit.yaml: uplink: cert_file {pki}/hk-001.crt and key_file {pki}/hk-001.key are no matching pair: ",
        ),
        ("ended", "unit.yaml: uplink.cert_file: {pki}/hk-001.crt has ended on 2025-12-31; renew it"),
    ],
)
def test_certificates_that_no_broker_would_take_are_one_sentence(
    with_tls: Authority, desk: Desk, capsys: pytest.CaptureFixture[str], spoil: str, told: str
) -> None:
    pki = desk.folder / "pki"
    ended = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC))
    with_tls.issue_client("hk-001", ended if spoil == "ended" else None)
    other = with_tls.issue_client("hk-002")
    match spoil:
        case "missing":
            (pki / "hk-001.key").unlink()
        case "nonsense":
            (pki / "ca.crt").write_text("not a certificate")
        case "of another":
            other.cert_file.replace(pki / "hk-001.crt")
            other.key_file.replace(pki / "hk-001.key")
        case "a pair":
            other.key_file.replace(pki / "hk-001.key")
    assert main(["check", "unit.yaml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(told.format(pki=pki))
    assert printed.err.count("\n") == 1


def test_a_model_that_only_vosk_itself_finds_broken_is_one_sentence(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copytree(BUNDLED_MODEL, desk.folder / "model", ignore=shutil.ignore_patterns(manifest.NAME))
    network = model / "am/final.mdl"
    network.write_bytes(network.read_bytes()[:100_000])
    desk.write(LAB + "voice: {model: model}\n")
    assert main(["check", "unit.yaml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"unit.yaml: voice.model: the voice model at {model} is damaged; install it again" in printed.err
    assert printed.err.count("\n") == 1


def test_a_second_engine_that_is_not_installed_is_one_sentence(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load.cache_clear()
    find: Callable[[str], ModuleSpec | None] = importlib.util.find_spec
    desk.write(LAB + "voice: {verifier: true}\n")
    with monkeypatch.context() as without:
        without.setattr(importlib.util, "find_spec", lambda name: None if name == "moonshine_voice" else find(name))
        assert main(["check", "unit.yaml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "unit.yaml: voice.verifier: the second engine cannot be used: the package moonshine-voice is " in printed.err
    assert printed.err.count("\n") == 1
    assert main(["check", "unit.yaml"]) == 0


def test_a_broken_model_of_a_further_language_is_named_beside_that_of_the_main_one(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    network = polish_model(desk.folder / "pl") / "am/final.mdl"
    network.write_bytes(network.read_bytes()[:100_000])
    manifest.write(desk.folder / "pl")
    (desk.folder / "en").symlink_to("pl")
    language = "{name: pl, model: pl, phrases: [{say: pomóż mi, label: help-me}]}"
    desk.write(
        LAB + f"voice:\n  model: en\n  phrases: [{{say: call the police, label: a}}]\n  languages: [{language}]\n"
    )
    assert main(["check", "unit.yaml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    main_model, further = printed.err.splitlines()
    assert main_model.startswith(f"unit.yaml: voice.model: the voice model at {desk.folder}/en is damaged; ")
    assert further.startswith(f"unit.yaml: voice.languages[0].model: the voice model at {desk.folder}/pl is damaged; ")
