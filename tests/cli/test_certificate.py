"""Renewing a certificate by hand: the key stays, the request goes, and nothing wrong gets in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from agent.cli.main import main
from agent.uplink.key_birth import KEY_NAME
from fakes.authority import Authority
from tests.config.desk import LAB

if TYPE_CHECKING:
    from tests.config.desk import Desk

TLS = Path("state/tls")


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
    waits, in_use = capsys.readouterr().out.splitlines()
    assert waits.startswith("a      waits to be tried: hk-001, valid until 20")
    assert in_use.startswith("given  in use: hk-001, valid until 20")


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


def test_a_damaged_key_of_a_request_is_one_sentence(
    authority: Authority, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert authority
    TLS.mkdir(parents=True)
    (desk.folder / TLS / KEY_NAME).write_text("damaged")
    assert certificate("request") == 2
    assert "is no key" in capsys.readouterr().err
