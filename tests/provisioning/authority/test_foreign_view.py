"""What openssl says of the office's certificates and lists: somebody who read no line of ours."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from cryptography import x509

from tests.provisioning.authority.pilot import OFFICE_WORDS, ROOT_WORDS, Pilot, openssl

if TYPE_CHECKING:
    from pathlib import Path


def verify(*words: object) -> bool:
    done = subprocess.run(["openssl", "verify", *map(str, words)], capture_output=True, check=False)
    return done.returncode == 0


def test_each_certificate_is_good_for_its_own_use_and_no_other(pilot: Pilot) -> None:
    unit = pilot.unit("hk-001")
    token = pilot.token("hk-001")
    root, mqtt = pilot.root / "root.crt", pilot.sign(unit.request(token))
    media, broker = pilot.sign(unit.request(token, "--media")), pilot.issue_server().cert_file
    uses = {mqtt: "sslclient", broker: "sslserver", media: None}
    for cert, use in uses.items():
        chain = ("-x509_strict", "-CAfile", root, "-untrusted", cert)
        assert verify(*chain, cert)
        for purpose in ("sslclient", "sslserver", "smimesign", "timestampsign"):
            assert verify(*chain, "-purpose", purpose, cert) == (purpose == use), (cert, purpose)
    assert verify("-CAfile", root, "-untrusted", broker, "-verify_hostname", "localhost", broker)
    assert not verify("-CAfile", root, "-untrusted", broker, "-verify_hostname", "other", broker)


def test_what_signs_footage_is_no_client_by_its_own_certificate_and_by_the_one_above(pilot: Pilot) -> None:
    """Either would do; a mistake in one of them shall not open the broker to it."""
    media = pilot.sign(pilot.unit("hk-001").request(pilot.token("hk-001"), "--media"))
    for cert in (media, pilot.office / "media.crt"):
        text = openssl("x509", "-in", cert, "-noout", "-text")
        # Later ones than 3.0 may have a name for it.
        assert re.search(
            r"Extended Key Usage: *\n +(1\.3\.6\.1\.5\.5\.7\.3\.36|document ?signing)\n", text, re.IGNORECASE
        ), text


def test_who_it_is_for_how_long_and_with_what_key(pilot: Pilot) -> None:
    unit = pilot.unit("hk-001")
    token = pilot.token("hk-001")
    for words, days, usage in (
        ((), 400, "Digital Signature"),
        (("--media",), 9131, "Digital Signature, Non Repudiation"),
    ):
        cert = pilot.sign(unit.request(token, *words))
        assert openssl("x509", "-in", cert, "-noout", "-subject", "-nameopt", "RFC2253") == "subject=CN=hk-001\n"
        text = openssl("x509", "-in", cert, "-noout", "-text")
        assert "NIST CURVE: P-256" in text
        assert "Signature Algorithm: ecdsa-with-SHA256" in text
        assert re.search(rf"Key Usage: critical\n +{usage}\n", text)
        until = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
        ends = f"{until:%Y%m%d%H%M%SZ}"
        assert openssl("x509", "-in", cert, "-noout", "-checkend", (days - 1) * 86400)
        shown = openssl("x509", "-in", cert, "-noout", "-enddate", "-dateopt", "iso_8601")
        assert re.sub(r"\D", "", shown) == ends[:-1]
        serial = x509.load_pem_x509_certificate(cert.read_bytes()).serial_number
        assert 0 < serial.bit_length() <= 159


def test_a_list_says_what_is_taken_back_and_why(pilot: Pilot) -> None:
    unit, root = pilot.unit("hk-001"), pilot.root / "root.crt"
    token = pilot.token("hk-001")
    mqtt, media = pilot.sign(unit.request(token)), pilot.sign(unit.request(token, "--media"))
    other = pilot.sign(pilot.unit("hk-002").request(pilot.token("hk-002")))
    lists = {mqtt: pilot.office / "for-broker/revoked.pem", media: pilot.office / "for-courts/revoked.pem"}

    def trusted(cert: Path, crl: Path) -> bool:
        return verify("-crl_check", "-CRLfile", crl, "-CAfile", root, "-untrusted", cert, cert)

    assert all(trusted(cert, crl) for cert, crl in lists.items())
    pilot.work("revoke", "hk-001", "--reason", "stolen", "--since", "2026-11-20T08:00Z", "--for", "crime 1234")
    assert not any(trusted(cert, crl) for cert, crl in lists.items())
    assert trusted(other, lists[mqtt])
    text = openssl("crl", "-in", lists[media], "-noout", "-text")
    assert "Key Compromise" in text
    assert re.search(r"Invalidity Date: *\n? +Nov 20 08:00:00 2026 GMT", text)
    for branch, crl in (("units", lists[mqtt]), ("media", lists[media])):
        own = pilot.office / f"{branch}.crt"
        assert "verify OK" in openssl("crl", "-in", crl, "-noout", "-CAfile", own)
        until = openssl("x509", "-in", own, "-noout", "-enddate").split("=")[1]
        assert openssl("crl", "-in", crl, "-noout", "-nextupdate").split("=")[1] == until, "it is never overdue"
    numbers = [openssl("crl", "-in", lists[mqtt], "-noout", "-crlnumber")]
    pilot.work("crl")
    numbers.append(openssl("crl", "-in", lists[mqtt], "-noout", "-crlnumber"))
    assert [int(number.split("=")[1], 16) for number in numbers] == [2, 3]
    assert not trusted(mqtt, lists[mqtt])
    assert "no certificate that is still trusted" in pilot.refusal("revoke", "hk-001", "--reason", "stolen")


def test_the_root_takes_an_intermediate_back(pilot: Pilot) -> None:
    serial = openssl("x509", "-in", pilot.office / "units.crt", "-noout", "-serial").strip().split("=")[1]
    words = ("--serial", serial, "--reason", "stolen", "--folder", pilot.root)
    told = pilot.call("root", "revoke", *words, words=ROOT_WORDS, office=False)
    assert told.code == 0, told.err
    crl = pilot.root / "root.crl.pem"
    root = ("-CAfile", pilot.root / "root.crt", "-crl_check", "-CRLfile", crl)
    assert not verify(*root, pilot.office / "units.crt")
    assert verify(*root, pilot.office / "media.crt")
    told = pilot.call("root", "revoke", *words, words=ROOT_WORDS, office=False)
    assert (told.code, "is revoked already" in told.err) == (2, True)


def test_its_keys_open_without_this_program_and_cost_a_guesser_dear(pilot: Pilot, tmp_path: Path) -> None:
    words = tmp_path / "words"
    for folder, name, phrase in (
        (pilot.root, "root", ROOT_WORDS),
        (pilot.office, "units", OFFICE_WORDS),
        (pilot.office, "media", OFFICE_WORDS),
    ):
        words.write_text(phrase, encoding="ascii")
        public = openssl("pkey", "-in", folder / f"{name}.key", "-passin", f"file:{words}", "-pubout")
        assert public == openssl("x509", "-in", folder / f"{name}.crt", "-noout", "-pubkey")
        assert ":scrypt\n" in openssl("asn1parse", "-in", folder / f"{name}.key")


def test_the_broker_is_told_who_may_command_and_nobody_whose_certificate_is_gone(pilot: Pilot) -> None:
    names = pilot.office / "for-broker/names.args"
    for role, name in (("receiver", "recorder-1"), ("console", "desk-2"), ("console", "desk-1"), ("vms", "video-1")):
        pilot.client(role, name)
    pilot.enrol("hk-001")
    pilot.enrol("hk-002")
    expected = ["--units=2", "--console=desk-1", "--console=desk-2", "--receiver=recorder-1", "--vms=video-1"]
    assert names.read_text(encoding="ascii").splitlines() == expected
    pilot.work("revoke", "desk-1", "--reason", "out-of-service")
    pilot.work("revoke", "hk-002", "--reason", "replaced")
    expected = ["--units=1", "--console=desk-2", "--receiver=recorder-1", "--vms=video-1"]
    assert names.read_text(encoding="ascii").splitlines() == expected
    rows = pilot.call("list").out.splitlines()
    assert sorted(tuple(row.split()[:3]) for row in rows if row.startswith(("desk", "hk"))) == [
        ("desk-1", "console", "REVOKED"),
        ("desk-2", "console", "valid"),
        ("hk-001", "token", "open"),
        ("hk-001", "unit", "valid"),
        ("hk-002", "unit", "REVOKED"),
    ]
