"""What the office does not sign: one sentence, exit 2, and nothing written down."""

from __future__ import annotations

import base64
import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AttributeOID, NameOID
from pilotca import __main__ as command
from pilotca.files import locked
from pilotca.register import now

from agent.enrolment import Purpose, Token
from tests.provisioning.authority.pilot import OFFICE_WORDS, ORG, ROOT_WORDS, Pilot, asked_by_openssl, openssl

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Let days pass at the office."""
    monkeypatch.setattr(command, "now", lambda: now() + timedelta(days=days))


def forged(path: Path, csr: x509.CertificateSigningRequestBuilder, key: ec.EllipticCurvePrivateKey) -> Path:
    path.write_bytes(csr.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def asking(name: str) -> x509.CertificateSigningRequestBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject)


def test_a_token_is_good_for_one_certificate_of_each_key(pilot: Pilot) -> None:
    unit = pilot.unit("hk-001")
    token = pilot.token("hk-001")
    request = unit.request(token)
    answer = pilot.sign(request)
    told = pilot.refusal("sign", request)
    assert "this token of hk-001 was used already, for its mqtt certificate" in told
    assert unit.certificate("install", answer, "--ca", pilot.root / "root.crt").code == 0
    assert "was used already" in pilot.refusal("sign", unit.request(token))
    assert pilot.sign(unit.request(token, "--media"))
    assert "was used already, for its media certificate" in pilot.refusal("sign", unit.request(token, "--media"))
    serial = told.split("authority show ")[1].split("`")[0]
    assert pilot.call("show", serial).out == answer.read_text(encoding="ascii"), "an answer that was lost is there"


def test_a_token_that_has_ended_was_replaced_or_is_another_units(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = pilot.unit("hk-001")
    first = pilot.token("hk-001", "--days", 3)
    second = pilot.token("hk-001", "--days", 3)
    assert "was replaced by a later one" in pilot.refusal("sign", unit.request(first))
    assert "with the token of hk-002: each unit has its own" in pilot.refusal(
        "sign", unit.request(pilot.token("hk-002"))
    )
    elsewhere = str(Token.new())
    assert "with no token of this office" in pilot.refusal("sign", unit.request(elsewhere))
    assert "was made without a token: make one with `authority token hk-001`" in pilot.refusal(
        "sign", unit.request(None)
    )
    request = unit.request(second)
    with monkeypatch.context() as in_time:
        later(in_time, 3.01)
        assert "this token of hk-001 has ended on 2" in pilot.refusal("sign", request)
    assert pilot.sign(request)


def test_a_stolen_units_slip_is_worth_nothing(pilot: Pilot) -> None:
    unit = pilot.enrol("hk-001")
    slip, other = pilot.token("hk-001"), pilot.unit("hk-002").request(pilot.token("hk-002"))
    pilot.work("revoke", "hk-001", "--reason", "stolen")
    assert "was replaced by a later one, or withdrawn" in pilot.refusal("sign", unit.request(slip))
    assert pilot.sign(other)


def test_a_slip_that_was_stolen_before_its_unit_had_a_certificate_is_worth_nothing(pilot: Pilot) -> None:
    unit = pilot.unit("hk-001")
    request = unit.request(pilot.token("hk-001"))
    told = pilot.work("revoke", "hk-001", "--reason", "stolen", "--for", "crime 1234")
    assert "The open token of hk-001 is withdrawn" in told
    assert "restart it" not in told, "the broker knows nothing of it"
    assert "was replaced by a later one, or withdrawn" in pilot.refusal("sign", request)
    assert "hk-001" not in pilot.work("list")
    assert "no token is open for it" in pilot.refusal("revoke", "hk-001", "--reason", "stolen")
    assert pilot.sign(unit.request(pilot.token("hk-001"))), "with a new slip"


def test_a_request_that_was_changed_on_its_way(pilot: Pilot, tmp_path: Path) -> None:
    request = pilot.unit("hk-001").request(pilot.token("hk-001"))
    good = request.read_bytes()
    der = bytearray(base64.b64decode(b"".join(good.splitlines()[1:-1])))
    changed = tmp_path / "changed.csr"
    for place in range(0, len(der), 7):
        der[place] ^= 1
        body = base64.encodebytes(bytes(der)).decode()
        changed.write_text(f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n", "ascii")
        assert "changed.csr" in pilot.refusal("sign", changed)
        der[place] ^= 1
    # Somebody else's key with the proof that he read off the stick, in a request that is well formed.
    proof = x509.load_pem_x509_csr(good).attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value
    key = ec.generate_private_key(ec.SECP256R1())
    stolen = forged(changed, asking("hk-001").add_attribute(AttributeOID.CHALLENGE_PASSWORD, proof), key)
    assert "with no token of this office, or changed since" in pilot.refusal("sign", stolen)
    assert pilot.sign(request), "and the token is still good for the unit itself"


def test_a_key_or_a_subject_of_another_kind(pilot: Pilot, tmp_path: Path) -> None:
    for kind in ("P-384", "rsa:2048", "ed25519"):
        _, request = asked_by_openssl(tmp_path, "desk-1", key=kind)
        assert "is no P-256 key" in pilot.refusal("client", "console", "desk-1", request)
    key = ec.generate_private_key(ec.SECP256R1())
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A Force")
    name = x509.NameAttribute(NameOID.COMMON_NAME, "desk-1")
    for subject in ([organisation, name], [name, name], []):
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
        request = forged(tmp_path / "odd.csr", csr, key)
        assert "must be a common name (CN) and nothing else" in pilot.refusal("client", "console", "desk-1", request)
    _, weak = asked_by_openssl(tmp_path, "desk-1", "-sha1")
    assert "is made with sha1: SHA-256 is needed" in pilot.refusal("client", "console", "desk-1", weak)
    token = Token.read(pilot.token("hk-001"))
    for odd in ("HK-001", "../hk-001", "hk 001", "hk-001\n", "*"):
        proof = token.proof(Purpose.MQTT, odd, key.public_key()).encode()
        csr = asking(odd).add_attribute(AttributeOID.CHALLENGE_PASSWORD, proof)
        assert "is no name of a unit" in pilot.refusal("sign", forged(tmp_path / "odd.csr", csr, key))


def test_what_is_no_request_at_all(pilot: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "request.csr"
    assert "request.csr cannot be read: No such file" in pilot.refusal("sign", file)
    for content, told in (
        (b"", "must hold one request for a certificate (PEM), but holds 0"),
        (pilot.unit("hk-001").request(None).read_bytes() * 2, "but holds 2"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "cannot be read"),
        (b"A" * 20_000, "is larger than 16384 bytes"),
    ):
        file.write_bytes(content)
        assert told in pilot.refusal("sign", file)


def test_nothing_that_a_request_asks_for_is_copied_but_its_key(pilot: Pilot, tmp_path: Path) -> None:
    wishes = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
    _, request = asked_by_openssl(tmp_path, "desk-1", *wishes, "-addext", "subjectAltName=DNS:other.example.org")
    issued = pilot.work("client", "console", "desk-1", request).split(" is valid until ")[0]
    text = openssl("x509", "-in", issued, "-noout", "-text")
    assert "CA:FALSE" in text
    assert "TLS Web Client Authentication\n" in text
    assert "Certificate Sign" not in text
    assert "other.example.org" not in text


def test_a_name_is_one_partys_and_a_key_has_one_certificate(pilot: Pilot, tmp_path: Path) -> None:
    pilot.client("console", "desk-1")
    assert "desk-1 is the name of a console already" in pilot.refusal("token", "desk-1")
    pilot.token("hk-001")
    _, request = asked_by_openssl(tmp_path, "hk-001")
    assert "hk-001 is the name of a unit already" in pilot.refusal("client", "console", "hk-001", request)
    _, request = asked_by_openssl(tmp_path, "desk-1")
    assert "desk-1 is the name of a console already" in pilot.refusal("client", "vms", "desk-1", request)
    assert "asks for the name 'desk-1', not for desk-2" in pilot.refusal("client", "console", "desk-2", request)
    pilot.work("client", "console", "desk-1", request)
    pilot.work("revoke", "desk-1", "--reason", "replaced")
    assert "has a certificate already" in pilot.refusal("client", "console", "desk-1", request)


def test_the_register_shows_who_touched_it_and_bears_a_power_cut(pilot: Pilot) -> None:
    pilot.token("hk-001", "--for", "Central Walk, first visit")
    file = pilot.office / "register.jsonl"
    good = file.read_bytes()
    assert json.loads(good.splitlines()[-1])["for"] == "Central Walk, first visit"
    file.write_bytes(good + b'{"at": "2026-')  # the power went
    assert "hk-001" in pilot.call("list").out
    pilot.token("hk-002")
    assert file.read_bytes().startswith(good)
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    for changed in (whole.replace(b"first visit", b"second visit"), b"".join([*lines[:-2], lines[-1]]), b"x\n" + whole):
        file.write_bytes(changed)
        told = pilot.call("list")
        assert told.code == 2
        assert "the register was changed or damaged here" in told.err
        file.write_bytes(whole)


def test_what_is_given_to_others_can_be_made_again_of_the_register(pilot: Pilot) -> None:
    unit = pilot.enrol("hk-001")
    pilot.client("console", "desk-1")
    pilot.sign(unit.request(pilot.token("hk-001"), "--media"))
    folders = [pilot.office / name for name in ("issued", "for-broker", "for-courts")]
    before = {file: file.read_bytes() for folder in folders for file in folder.iterdir()}
    for folder in folders:
        shutil.rmtree(folder)  # as if the power had gone each time before they were written
    pilot.work("crl")
    after = {file: file.read_bytes() for folder in folders for file in folder.iterdir()}
    assert before.keys() == after.keys()
    assert {file.name for file in before if before[file] != after[file]} == {"revoked.pem"}, "which is signed anew"


def test_one_works_there_at_a_time(pilot: Pilot) -> None:
    with locked(pilot.office):
        assert "somebody else works in" in pilot.refusal("token", "hk-001")
    assert pilot.token("hk-001")


def test_a_clock_that_went_back_signs_nothing(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, -1)
    assert "the clock of this machine says" in pilot.refusal("token", "hk-001")


def test_a_certificate_never_outlives_its_authority(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    request = pilot.unit("hk-001").request(pilot.token("hk-001", "--days", 30))
    later(monkeypatch, 29)
    pilot.sign(request)
    later(monkeypatch, 9 * 365)
    request = pilot.unit("hk-002").request(pilot.token("hk-002"))
    assert "'street units' ends on 2" in pilot.refusal("sign", request)


def test_the_passphrase_is_right_long_and_never_an_argument(pilot: Pilot, tmp_path: Path) -> None:
    told = pilot.call("crl", words="something else that is long enough")
    assert (told.code, "the passphrase is wrong" in told.err, told.err.count("\n")) == (2, True, 1)
    told = pilot.call("root", "new", "--org", ORG, "--folder", tmp_path / "r", words="short", office=False)
    assert "must have at least 20 characters" in told.err
    assert "give --passphrase-fd" in pilot.call("crl").err
    for folder, words in ((pilot.root, ROOT_WORDS), (pilot.office, OFFICE_WORDS)):
        for key in folder.glob("*.key"):
            assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            assert key.stat().st_mode & 0o777 == 0o600
        assert not [file for file in folder.rglob("*") if file.is_file() and words.encode() in file.read_bytes()]


def test_the_root_signs_what_was_read_out_and_nothing_else(pilot: Pilot, tmp_path: Path) -> None:
    _, request = asked_by_openssl(tmp_path, "street units")
    root = ("--folder", pilot.root, "--out", tmp_path / "out.crt")
    for name, words, told in (
        ("street units", ("--as", "units", "--fingerprint", "0123 4567 89ab cdef"), "somebody changed it on its way"),
        ("street units", ("--as", "units", "--fingerprint", "01"), "must have the first 16 characters"),
    ):
        said = pilot.call("root", "sign", tmp_path / f"{name}.csr", *words, *root, words=ROOT_WORDS, office=False)
        assert (said.code, told in said.err) == (2, True), said
    assert request.exists()
    assert not (tmp_path / "out.crt").exists()
    assert (
        "a root in"
        in pilot.call("root", "new", "--org", ORG, "--folder", pilot.root, words=ROOT_WORDS, office=False).err
    )


def test_no_token_and_no_key_of_a_unit_is_ever_at_the_office(pilot: Pilot) -> None:
    unit = pilot.unit("hk-001")
    token = pilot.token("hk-001")
    request = unit.request(token)
    pilot.sign(request)
    secret = Token.read(token)
    assert secret.public_half.encode() in pilot.register()
    for file in [request, *(each for each in pilot.office.rglob("*") if each.is_file())]:
        content = file.read_bytes()
        assert token.encode() not in content
        assert token.replace("-", "").encode() not in content
        assert b"BEGIN PRIVATE KEY" not in content
