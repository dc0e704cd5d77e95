"""Certificates by hand, the first and each later one: the key stays, the request goes, nothing wrong gets in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID

import agent
from agent.cli.main import main
from agent.enrolment import Purpose, Token, proves
from agent.media_identity import MediaIdentity
from agent.uplink.key_birth import KEY_NAME, MEDIA_KEY_NAME
from fakes.authority import Authority
from tests.config.desk import LAB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.config.desk import Desk

TLS = Path("state/tls")
NOBODY = 65534
"""A user and a group that every machine has."""


def write_unit(desk: Desk, tls: str) -> None:
    """Write a unit.yaml with these files, and make the folder of its state."""
    text = LAB.replace("mqtt://localhost", "mqtts://localhost").replace("insecure_lab: true", tls)
    desk.write(text + "state_folder: state\n")
    (desk.folder / "state").mkdir()


@pytest.fixture
def authority(desk: Desk) -> Authority:
    """The authority of hk-001, whose unit.yaml names the first certificate."""
    write_unit(desk, "ca_file: pki/ca.crt, cert_file: pki/hk-001.crt, key_file: pki/hk-001.key")
    authority = Authority(desk.folder / "pki")
    authority.issue_client("hk-001")
    return authority


def certificate(*words: str) -> int:
    return main(["certificate", *words, "--config", "unit.yaml"])


def test_a_renewal_from_the_request_to_the_slot(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certificate("request") == 0
    request = capsys.readouterr().out
    assert certificate("request") == 0
    again = x509.load_pem_x509_csr(capsys.readouterr().out.encode()).public_key()
    csr = x509.load_pem_x509_csr(request.encode())
    assert csr.public_key() == again, "the same key until it has a certificate"
    assert csr.subject.rfc4514_string() == "CN=hk-001"
    assert (TLS / KEY_NAME).stat().st_mode & 0o777 == 0o600
    answer = desk.folder / "answer.pem"
    answer.write_bytes(authority.sign(csr))
    assert certificate("install", str(answer)) == 0
    assert "It waits in slot a" in capsys.readouterr().out
    assert not (TLS / KEY_NAME).exists()
    assert certificate("status") == 0
    waits, in_use, trusts = capsys.readouterr().out.splitlines()
    assert waits.startswith("a      waits to be tried: hk-001, valid until 20")
    assert in_use.startswith("given  in use: hk-001, valid until 20")
    assert re.fullmatch(
        r"in use: trusts street authority of this run until 20[\d-]+, which signed its certificate", trusts
    )


def _bundle(desk: Desk, *authorities: Authority) -> str:
    """A file of several authorities."""
    desk.write(b"".join(authority.ca_file.read_bytes() for authority in authorities), "bundle.pem")
    return "bundle.pem"


def test_a_certificate_of_an_authority_that_the_unit_would_not_trust_needs_a_file_of_both(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    new = Authority(desk.folder / "new", "new")
    mine = new.issue_client("hk-001")
    install = ("install", str(mine.cert_file), "--key", str(mine.key_file))
    for trusting in ((), ("--ca", str(authority.ca_file))):
        assert certificate(*install, *trusting) == 2
        assert (
            "signed by no authority that the unit would trust (street authority of this run)" in capsys.readouterr().err
        )
    assert not (TLS / "a").exists()
    assert certificate(*install, "--ca", _bundle(desk, authority, new)) == 0
    assert certificate("status") == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line.partition(": ")[0] + ": " + line.partition(": ")[2].split(" until")[0] for line in lines[-3:]]
    assert told == [
        "in use: trusts street authority of this run",
        "waits to be tried: trusts street authority of this run",
        "waits to be tried: trusts new authority of this run",
    ]
    assert [line.endswith("which signed its certificate") for line in lines[-3:]] == [True, False, True]


@pytest.mark.usefixtures("authority")
def test_where_broker_and_units_have_different_authorities_a_renewal_needs_no_other_file(desk: Desk) -> None:
    units = Authority(desk.folder / "units", "units")
    first, second = units.issue_client("hk-001"), Authority(desk.folder / "next", "next").issue_client("hk-001")
    for place in ("crt", "key"):
        source = first.cert_file if place == "crt" else first.key_file
        (desk.folder / f"pki/hk-001.{place}").write_bytes(source.read_bytes())
    assert certificate("install", str(second.cert_file), "--key", str(second.key_file)) == 0


def test_a_certificate_below_others_is_held_against_the_authority_at_the_top(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = authority.issue_client("hk-001")
    stranger = Authority(desk.folder / "stranger", "stranger")
    desk.write(mine.cert_file.read_bytes() + stranger.ca_file.read_bytes(), "chain.pem")
    assert certificate("install", "chain.pem", "--key", str(mine.key_file)) == 0
    other = stranger.issue_client("hk-001")
    desk.write(other.cert_file.read_bytes() + stranger.ca_file.read_bytes(), "chain.pem")
    assert certificate("install", "chain.pem", "--key", str(other.key_file)) == 2
    assert "signed by no authority" in capsys.readouterr().err


@pytest.mark.parametrize(("days", "words"), [(12.5, ", in 12 days"), (-3, ", which is over")])
def test_the_end_of_an_authority_is_told_and_one_that_has_ended_signs_nothing(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str], days: float, words: str
) -> None:
    now = datetime.now(UTC)
    ending = Authority(desk.folder / "ending", "ending", (now - timedelta(days=99), now + timedelta(days=days)))
    mine = ending.issue_client("hk-001")
    install = ("install", str(mine.cert_file), "--key", str(mine.key_file))
    code = certificate(*install, "--ca", _bundle(desk, authority, ending))
    assert code == (0 if days > 0 else 2)
    if days < 0:
        assert "is signed by ending authority of this run, which has ended on" in capsys.readouterr().err
        desk.write((desk.folder / "bundle.pem").read_bytes(), "pki/ca.crt")
    assert certificate("status") == 0
    assert any("trusts ending" in line and words in line for line in capsys.readouterr().out.splitlines())


def test_a_file_of_authorities_of_which_one_is_damaged_is_one_sentence(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = authority.issue_client("hk-001")
    whole = authority.ca_file.read_text(encoding="ascii")
    lines = whole.splitlines(keepends=True)
    desk.write(whole + "".join([lines[0], "AAAA" + lines[1], *lines[2:]]), "bundle.pem")
    words = ("install", str(mine.cert_file), "--key", str(mine.key_file), "--ca", "bundle.pem")
    assert certificate(*words) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "--ca bundle.pem holds no certificate, or a damaged one" in printed.err


def test_what_cannot_be_the_units_certificate_is_one_sentence(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    other = authority.issue_client("hk-002")
    mine = authority.issue_client("hk-001")
    nonsense = desk.write("nonsense", "nonsense.pem")
    for words, told in (
        (["install", str(mine.cert_file)], "no certificate was requested here"),
        (["install", str(mine.cert_file), "--key", str(other.key_file)], "are no matching pair"),
        (
            ["install", str(other.cert_file), "--key", str(other.key_file)],
            "is the certificate of hk-002, not of hk-001",
        ),
        (["install", str(nonsense), "--key", str(mine.key_file)], "nonsense.pem holds no certificate"),
        (["install", "nowhere.pem", "--key", str(mine.key_file)], "nowhere.pem holds no certificate: No such file"),
    ):
        assert certificate(*words) == 2
        printed = capsys.readouterr()
        assert told in printed.err
        assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert not (TLS / "a").exists()


def test_a_unit_without_tls_has_nothing_to_renew(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write(LAB)
    assert certificate("status") == 2
    assert "this unit has no TLS" in capsys.readouterr().err


@pytest.fixture
def foreign_state() -> Iterator[Path]:
    """A state folder that belongs to somebody else than root, who runs this."""
    if os.geteuid() != 0:
        pytest.skip("ONLY ROOT CAN SHOW WHAT ROOT DOES IN A FOLDER OF THE UNIT'S USER: run this test as root")
    with tempfile.TemporaryDirectory(prefix="state-") as name:
        Path(name).chmod(0o755)
        state = Path(name) / "state"
        state.mkdir()
        os.chown(state, NOBODY, NOBODY)
        yield state


def test_what_root_puts_there_belongs_to_the_units_user(authority: Authority, desk: Desk, foreign_state: Path) -> None:
    text = (desk.folder / "unit.yaml").read_text(encoding="utf-8")
    desk.write(text.replace("state_folder: state", f"state_folder: {foreign_state}"))
    mine = authority.issue_client("hk-001")  # root's own: the unit's user could not read it
    assert certificate("request") == 0
    words = ("install", str(mine.cert_file), "--key", str(mine.key_file), "--ca", str(mine.ca_file))
    assert certificate(*words) == 0
    put = [*(foreign_state / "tls").rglob("*")]
    assert {file.name for file in put} >= {"cert.pem", "key.pem", "ca.pem"}
    assert {(file.stat().st_uid, file.stat().st_gid) for file in put} == {(NOBODY, NOBODY)}
    assert (os.geteuid(), os.getegid()) == (0, 0), "and root is root again"


def test_root_follows_no_link_out_of_the_state_folder(
    authority: Authority, desk: Desk, foreign_state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (desk.folder / "unit.yaml").read_text(encoding="utf-8")
    desk.write(text.replace("state_folder: state", f"state_folder: {foreign_state}"))
    mine = authority.issue_client("hk-001")
    roots = foreign_state.with_name("etc")
    roots.mkdir(mode=0o755)
    (roots / "passwd").write_text("root", encoding="utf-8")
    (foreign_state / "tls").symlink_to(roots)
    for words in (("install", str(mine.cert_file), "--key", str(mine.key_file)), ("request",)):
        assert certificate(*words) == 2
        assert "Permission denied" in capsys.readouterr().err
    assert [file.name for file in roots.iterdir()] == ["passwd"]
    assert {file.stat().st_uid for file in (roots, roots / "passwd")} == {0}


def test_a_damaged_key_of_a_request_is_one_sentence(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert authority
    TLS.mkdir(parents=True)
    (desk.folder / TLS / KEY_NAME).write_text("damaged")
    assert certificate("request") == 2
    assert "is no key" in capsys.readouterr().err


@pytest.fixture
def bare(desk: Desk) -> Authority:
    """A unit that never had a certificate, and the authority that will give it one."""
    write_unit(desk, "ca_file: state/tls/ca.crt, cert_file: state/tls/first.crt, key_file: state/tls/first.key")
    return Authority(desk.folder / "pki")


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> x509.CertificateSigningRequest:
    """What a unit asks for."""
    assert certificate("request", *words) == 0
    return x509.load_pem_x509_csr(capsys.readouterr().out.encode())


def test_the_first_certificate_goes_where_the_configuration_names_it(
    bare: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = desk.folder / "answer.pem"
    answer.write_bytes(bare.sign(asked(capsys)))
    assert certificate("install", str(answer)) == 2
    assert "ca.crt is missing: give the authority that the unit shall trust as --ca" in capsys.readouterr().err
    assert certificate("install", str(answer), "--ca", str(bare.ca_file)) == 0
    assert "It is the unit's first certificate, valid until 20" in capsys.readouterr().out
    assert (TLS / "first.key").stat().st_mode & 0o777 == 0o600
    assert not (TLS / KEY_NAME).exists()
    assert main(["check", "unit.yaml"]) == 0, "the configuration is whole now"
    capsys.readouterr()
    answer.write_bytes(bare.sign(asked(capsys)))
    assert certificate("install", str(answer)) == 0
    assert "It waits in slot a" in capsys.readouterr().out, "the next one is tried beside it"


def test_a_power_cut_in_the_first_installation_is_mended_by_the_next(
    bare: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = desk.folder / "answer.pem"
    answer.write_bytes(bare.sign(asked(capsys)))
    (TLS / "first.key").write_bytes((TLS / KEY_NAME).read_bytes())  # as far as it came
    words = ("install", str(answer), "--ca", str(bare.ca_file))
    assert certificate(*words) == 0
    (TLS / "first.crt").unlink()
    answer.write_bytes(bare.sign(asked(capsys)))
    kept = (TLS / "first.key").read_bytes()
    assert certificate(*words) == 2
    assert "first.key is there already and is another one" in capsys.readouterr().err
    assert (TLS / "first.key").read_bytes() == kept, "nobody's key is overwritten"


def test_a_token_proves_who_asks_and_is_not_in_the_request(
    bare: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bare
    token = Token.new()
    slip = desk.write(str(token), "slip.txt")
    for words, purpose in (((), Purpose.MQTT), (("--media",), Purpose.MEDIA)):
        csr = asked(capsys, "--token-file", str(slip), *words)
        proof = csr.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value.decode()
        key = csr.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert proves(proof, token.public_half, purpose, "hk-001", key)
        assert csr.is_signature_valid
    assert {file.stat().st_mode & 0o777 for file in TLS.iterdir()} == {0o600}
    assert (TLS / KEY_NAME).read_bytes() != (TLS / MEDIA_KEY_NAME).read_bytes()


def test_a_token_that_cannot_be_used_is_one_sentence_and_no_key_is_made(
    bare: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bare
    slip = desk.write(b"XXXXX-\xff", "slip.txt")
    for words, told in (
        (("--token-file", "nowhere"), "--token-file nowhere cannot be read: No such file"),
        (("--token-file", str(slip)), "the token must be 25 letters and digits"),
        (("--token",), "there is no terminal to ask for the token: give --token-file"),
    ):
        assert certificate("request", *words) == 2
        printed = capsys.readouterr()
        assert told in printed.err
        assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert not TLS.exists()


def test_the_terminal_asks_for_the_token_and_does_not_show_it(bare: Authority, desk: Desk) -> None:
    assert bare
    token = str(Token.new())
    command = f"{sys.executable} -m agent.cli.main certificate request --token --config unit.yaml >request.csr"
    environment = os.environ | {"PYTHONPATH": str(Path(agent.__file__).parents[1])}
    with subprocess.Popen(
        ["script", "-qec", command, "/dev/null"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as terminal:
        assert terminal.stdin
        assert terminal.stdout
        shown = b""
        while not shown.endswith(b"Token: "):  # what is typed before is thrown away
            read = terminal.stdout.read(1)
            assert read, shown
            shown += read
        terminal.stdin.write(token.encode() + b"\n")
        terminal.stdin.flush()
        shown += terminal.stdout.read()
    assert terminal.returncode == 0, shown
    assert token.encode() not in shown
    assert x509.load_pem_x509_csr((desk.folder / "request.csr").read_bytes()).is_signature_valid


def test_a_certificate_that_cannot_sign_footage_is_one_sentence(
    bare: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = bare.issue_client("hk-001"), bare.issue_client("hk-002")
    for words, told in (
        ((str(mine.cert_file),), "run `safepoint certificate request --media`, or give --key"),
        ((str(mine.cert_file), "--key", str(mine.key_file)), "would open connections to the broker"),
        ((str(mine.cert_file), "--key", str(other.key_file)), "the first certificate is not that of the key"),
        ((str(other.cert_file), "--key", str(other.key_file)), "is the certificate of hk-002, not of hk-001"),
        ((str(mine.cert_file), "--ca", str(bare.ca_file)), "--ca is not for --media"),
    ):
        assert certificate("install", "--media", *words) == 2
        printed = capsys.readouterr()
        assert told in printed.err
        assert (printed.out, printed.err.count("\n")) == ("", 1)
    csr, answer = asked(capsys, "--media"), desk.folder / "answer.pem"
    answer.write_bytes(bare.sign(csr, ExtendedKeyUsageOID.CODE_SIGNING) + bare.ca_file.read_bytes())
    assert certificate("install", "--media", str(answer)) == 0
    assert "Who verifies it must have street authority of this run." in capsys.readouterr().out
    media = TLS / "media.pem"
    assert media.stat().st_mode & 0o777 == 0o600
    assert len(MediaIdentity.read(media).chain) == 1, "the root is left out: validators refuse footage that brings it"
