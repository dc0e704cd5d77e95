"""A diagnosis bundle holds what helps, and none of the secrets that are planted here in every place a unit has."""

from __future__ import annotations

import base64
import gzip
import json
import os
import secrets
import stat
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.config.load import load_config
from agent.config.problems import Problem
from agent.doctor import findings
from agent.doctor.bundle import PART_MOST_BYTES, write_bundle
from agent.doctor.facts import Configuration, Facts, Way
from agent.doctor.look import configuration
from agent.doctor.look.case import Case
from agent.doctor.redact import private_words, redacted, shown_outside
from tests.doctor.ward import UNIT, healthy, spoilt

if TYPE_CHECKING:
    from pathlib import Path

DURESS = "is the manager around"
TOKEN = "tk" + secrets.token_hex(24)
UPLOAD = secrets.token_urlsafe(24)
PASSWORD = "correct-horse-battery"  # noqa: S105 - to be looked for
KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
KEY_LINES = KEY.splitlines()[1:-1]
RAW_KEY = base64.b64encode(secrets.token_bytes(48)).decode()

SAID_IN_LOGS = [
    "PRIVATE KEY follows\n" + KEY,
    'config_dump="' + KEY.replace("\n", "\\n") + '"',
    *[f"2026-11-29T02:00:0{i}+0000 hk safepoint[1]: {line}" for i, line in enumerate(KEY.splitlines())],
    f"event=odd key={RAW_KEY}",
    f"event=upload url=https://films.example.org/files/{UPLOAD}?X-Amz-Signature={TOKEN}",
    f"event=login url=mqtts://hk-001:{PASSWORD}@broker.example.org:8883",
    f"rtsp://admin:{PASSWORD}@10.0.0.9/stream/{UPLOAD}",
    f"Authorization: Bearer {TOKEN}",
    f"token={TOKEN} password={PASSWORD}",
    f'{{"password": "{PASSWORD}", "enrolment_token": "{TOKEN}"}}',
    f'event=heard text="{DURESS}" transcript="please {DURESS} today"',
    f"Vosk said: {DURESS.upper()}",
    "event=phrase words='call the police'",
]
MARKS = [TOKEN, UPLOAD, PASSWORD, RAW_KEY, DURESS, DURESS.upper(), *KEY_LINES]


@pytest.fixture
def unit(tmp_path: Path) -> Facts:
    """A unit with secrets in every text that it has."""
    file = tmp_path / "unit.yaml"
    file.write_text(
        UNIT
        + f"hardware: {{kit: street, options: {{where: {PASSWORD}}}}}\n"
        + "voice:\n  phrases:\n"
        + "    - {say: help me please, label: help-me}\n"
        + f"    - {{say: {DURESS}, label: duress, silent: true}}\n"
        + "  decoys: [call the police]\n",
        encoding="utf-8",
    )
    loaded = load_config(file, judge_files=False)
    configuration = Configuration(
        file,
        loaded.config,
        tuple(Problem(str(file), 1, "voice.phrases", said) for said in SAID_IN_LOGS),
        shown_outside(loaded),
        private_words(loaded.config),
    )
    facts = replace(healthy(tmp_path), configuration=configuration, journal=tuple(SAID_IN_LOGS))
    facts = replace(facts, ways=tuple(Way("uplink.broker", "mqtts://b", "reach", said) for said in SAID_IN_LOGS))
    facts = spoilt(facts, "machine", versions={f"odd-{i}": said for i, said in enumerate(SAID_IN_LOGS)})
    facts = spoilt(facts, "certificate", trouble=KEY)
    return replace(facts, unanswered=dict.fromkeys(("journal", "logins"), "\n".join(SAID_IN_LOGS)))


def _packed(target: Path) -> dict[str, bytes]:
    with tarfile.open(target) as archive:
        return {
            entry.name.rpartition("/")[2]: file.read()
            for entry in archive
            if (file := archive.extractfile(entry)) is not None
        }


def test_no_planted_secret_is_in_any_byte_of_the_bundle(unit: Facts, tmp_path: Path) -> None:
    planted = json.dumps(SAID_IN_LOGS)
    assert all(mark in planted for mark in MARKS)  # the search would find them
    target = tmp_path / "b.tar.gz"
    write_bundle(target, unit, findings(unit))
    raw = target.read_bytes()
    for content in (raw, gzip.decompress(raw), *_packed(target).values()):
        for mark in MARKS:
            assert mark.encode() not in content
            assert base64.b64encode(mark.encode()).rstrip(b"=")[:-1] not in content


@pytest.mark.parametrize("spoilt_by", ["lampe: 1\n", "unit: [\n"])
def test_a_duress_phrase_of_a_file_that_cannot_be_used_is_in_no_byte_either(tmp_path: Path, spoilt_by: str) -> None:
    file = tmp_path / "unit.yaml"
    said = "Is The Manager Around Or Has She Gone Home Again"  # capitals: a mistake that is told with what was written
    phrases = f"voice:\n  phrases:\n    - {{say: {said}, label: duress, silent: true}}\n"
    file.write_text(UNIT + phrases + spoilt_by, encoding="utf-8")
    looked = configuration.look(Case(file))
    assert looked.config is None
    assert spoilt_by.startswith("unit") or any(said[:30] in str(problem) for problem in looked.problems)
    facts = replace(healthy(tmp_path), configuration=looked, journal=(f"event=odd {said.lower()}",))
    write_bundle(tmp_path / "b.tar.gz", facts, findings(facts))
    content = gzip.decompress((tmp_path / "b.tar.gz").read_bytes()).lower()
    assert b"manager" not in content


def test_what_people_say_is_nowhere_but_in_the_configuration(unit: Facts, tmp_path: Path) -> None:
    write_bundle(tmp_path / "b.tar.gz", unit, findings(unit))
    parts = _packed(tmp_path / "b.tar.gz")
    assert {name for name, content in parts.items() if b"call the police" in content} == {"configuration.yaml"}


def test_the_bundle_says_what_helps(unit: Facts, tmp_path: Path) -> None:
    write_bundle(tmp_path / "b.tar.gz", unit, findings(unit))
    texts = {name: content.decode() for name, content in _packed(tmp_path / "b.tar.gz").items()}
    assert {*texts} == {
        "README.txt",
        "findings.txt",
        "findings.json",
        "facts.json",
        "configuration.yaml",
        "journal.txt",
    }
    assert "things are wrong" in texts["findings.txt"]
    shown = texts["configuration.yaml"]
    assert "key.pem" in shown  # where the key lies, not the key
    assert "say: help me please" in shown  # it stands on the sign
    assert "label: duress" in shown
    facts = json.loads(texts["facts.json"])
    assert facts["services"]["safepoint-agent.service"]["active"] == "active"
    assert facts["journal"] is None
    assert "event=upload url=https://films.example.org/[removed]" in texts["journal.txt"]


def test_the_bundle_is_bounded_whatever_the_unit_says(unit: Facts, tmp_path: Path) -> None:
    noise = tuple(f"event=noise n={i} {secrets.token_hex(12)}" for i in range(20_000))
    loud = replace(unit, journal=noise, unanswered={"ways": "x " * 400_000})
    size_bytes = write_bundle(tmp_path / "b.tar.gz", loud, findings(loud))
    assert size_bytes == (tmp_path / "b.tar.gz").stat().st_size
    parts = _packed(tmp_path / "b.tar.gz")
    assert max(map(len, parts.values())) <= PART_MOST_BYTES + 100
    assert size_bytes < 2 * 1024 * 1024
    assert b"event=noise n=19999 " in parts["journal.txt"]  # what happened last is what matters


def test_the_bundle_is_for_its_owners_eyes_and_never_replaces_a_file(unit: Facts, tmp_path: Path) -> None:
    target = tmp_path / "b.tar.gz"
    before = os.umask(0)
    try:
        write_bundle(target, unit, ())
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_bundle(target, unit, ())
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "harmless",
    [
        "event=link_lost broker=broker.example.org reason='Connection refused'",
        "event=part_lost part=camera why='no sensor has answered within 20 s'",
        "/opt/safepoint/lib/python3.11/site-packages/agent/voice/model/graph/words.txt is missing",
        "event=life_began installation=01JD9Z6Q3M4N5P6R7S8T9V0W1X number=4",
        "mqtts://broker.example.org:8883: it cannot be reached (No route to host).",
        "key_file: /etc/safepoint/tls/unit.key",
        "/etc/systemd/system/safepoint-agent.service.d/override.conf",
        "2026-11-29T02:00:00+0000 hk-001 safepoint[400]: event=certificate_promoted slot=a",
    ],
)
def test_what_helps_and_is_no_secret_stays(harmless: str) -> None:
    assert redacted(harmless) == harmless
