"""Renewing a certificate by hand: the key stays, the request goes, and nothing wrong gets in."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from agent.cli.main import main
from agent.uplink.key_birth import KEY_NAME
from fakes.authority import Authority
from tests.config.desk import LAB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.config.desk import Desk

TLS = Path("state/tls")
NOBODY = 65534
"""A user and a group that every machine has."""


@pytest.fixture
def authority(desk: Desk) -> Authority:
    """The authority of hk-001, whose unit.yaml names the first certificate."""
    uplink = "ca_file: pki/ca.crt, cert_file: pki/hk-001.crt, key_file: pki/hk-001.key"
    text = LAB.replace("mqtt://localhost", "mqtts://localhost").replace("insecure_lab: true", uplink)
    desk.write(text + "state_folder: state\n")
    (desk.folder / "state").mkdir()
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
    assert "ca_file bundle.pem holds no certificate" in printed.err


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
