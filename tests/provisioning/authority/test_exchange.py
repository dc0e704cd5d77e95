"""The whole way: a slip with a token, a stick with a request, a certificate, a broker that lets in and locks out."""

from __future__ import annotations

import re
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from pilotca.keys import open_key

from agent.clock import SystemClock
from agent.config.load import load_config
from agent.media_identity import FILE_NAME, MediaIdentity
from agent.uplink.credentials import Credentials as UnitCredentials
from agent.uplink.endpoint import Endpoint
from agent.uplink.manners import Manners
from agent.uplink.publication import Publication, Subscription
from agent.uplink.topics import UnitTopics
from tests.provisioning.authority.pilot import OFFICE_WORDS, ORG, Pilot, Unit, openssl
from tests.provisioning.broker.rendered import RenderedBroker, why_locked_out
from tests.uplink.lab import Ear, linked, until

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.authority import Credentials

TOPICS = UnitTopics(ORG, "hk-001")
CONSOLE = "desk-1"


def render(pilot: Pilot, folder: Path) -> RenderedBroker:
    """The broker as the office's files say."""
    given = pilot.office / "for-broker"
    return RenderedBroker(folder, pilot, f"@{given / 'names.args'}", "--crl", given / "revoked.pem")


def way_of(unit: Unit, broker: RenderedBroker) -> Endpoint:
    """The unit's way to the broker, with what it has on its disk."""
    found = UnitCredentials.of(load_config(unit.config).config, SystemClock())
    assert found is not None
    return Endpoint.at(broker.url, found.tls, insecure_lab=False)


def way(who: Credentials, broker: RenderedBroker) -> Endpoint:
    return Endpoint.build(broker.url, ca_file=who.ca_file, cert_file=who.cert_file, key_file=who.key_file)


async def test_a_unit_is_enrolled_and_heard_and_when_it_was_stolen_it_is_locked_out(
    pilot: Pilot, tmp_path: Path
) -> None:
    console = pilot.client("console", CONSOLE)
    stolen, other = pilot.enrol("hk-001"), pilot.enrol("hk-002")
    broker, ear = render(pilot, tmp_path / "broker"), Ear()
    desk = Manners(CONSOLE, (Subscription(TOPICS.status),), session_expiry_s=0)
    async with broker:
        async with (
            linked(way(console, broker), desk, on_message=ear),
            linked(way_of(stolen, broker), Manners("hk-001", session_expiry_s=0)) as link,
        ):
            await link.publish(Publication(TOPICS.status, b"online"))
            await until(lambda: ear.payloads() == [b"online"], "the console hears the new unit")
        assert "hk-001 (unit) is revoked" in pilot.work("revoke", "hk-001", "--reason", "stolen")
        await broker.end(signal.SIGTERM)
        await broker.start()
        files = load_config(stolen.config).config.uplink
        assert files.ca_file
        assert files.cert_file
        assert files.key_file
        told = why_locked_out(broker, files.ca_file, files.cert_file, files.key_file)
        assert re.search("certificate.revoked", told, re.IGNORECASE), told
        async with linked(way_of(other, broker), Manners("hk-002", session_expiry_s=0)) as link:
            assert link.connected


async def test_the_key_that_signs_footage_opens_no_connection(pilot: Pilot, tmp_path: Path) -> None:
    unit = pilot.enrol("hk-001")
    answer = pilot.sign(unit.request(pilot.token("hk-001"), "--media"))
    assert "can be signed with it until 2" in unit.certificate("install", "--media", answer).out
    media = unit.folder / "state" / "tls" / FILE_NAME
    assert media.stat().st_mode & 0o777 == 0o600
    identity = MediaIdentity.read(media)
    assert (identity.name, len(identity.chain)) == ("hk-001", 2)
    cert, key = tmp_path / "media.crt", tmp_path / "media.key"
    cert.write_bytes(identity.chain_pem)
    key.write_bytes(media.read_bytes())
    pilot.client("console", CONSOLE)
    async with render(pilot, tmp_path / "broker") as broker:
        told = why_locked_out(broker, pilot.root / "root.crt", cert, key)
        assert re.search("unsupported.certificate|unknown.ca|bad.certificate", told, re.IGNORECASE), told


async def test_a_list_that_is_overdue_would_lock_everybody_out(pilot: Pilot, tmp_path: Path) -> None:
    """Why the office's lists name no next issue before their authority ends."""
    console = pilot.client("console", CONSOLE)
    branch = x509.load_pem_x509_certificate((pilot.office / "units.crt").read_bytes())
    at = datetime.now(UTC)
    overdue = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(branch.subject)
        .last_update(at - timedelta(days=8))
        .next_update(at - timedelta(days=1))
        .sign(open_key(pilot.office / "units.key", OFFICE_WORDS.encode()), hashes.SHA256())
    )
    broker = render(pilot, tmp_path / "broker")
    (pilot.office / "for-broker" / "revoked.pem").write_bytes(overdue.public_bytes(serialization.Encoding.PEM))
    async with broker:
        told = why_locked_out(broker, console.ca_file, console.cert_file, console.key_file)
        assert re.search("certificate.expired", told, re.IGNORECASE), told


async def test_a_renewal_is_one_more_token_and_the_broker_takes_both_meanwhile(pilot: Pilot, tmp_path: Path) -> None:
    unit = pilot.enrol("hk-001")
    answer = pilot.sign(unit.request(pilot.token("hk-001")))
    assert "It waits in slot a" in unit.certificate("install", answer).out
    pilot.client("console", CONSOLE)
    waiting = unit.folder / "state" / "tls" / "a"
    async with render(pilot, tmp_path / "broker") as broker:
        for cert, key in (
            (waiting / "cert.pem", waiting / "key.pem"),
            (unit.folder / "tls/cert.pem", unit.folder / "tls/key.pem"),
        ):
            url, ca = broker.url, pilot.root / "root.crt"
            endpoint = Endpoint.build(url, ca_file=ca, cert_file=cert, key_file=key)
            async with linked(endpoint, Manners("hk-001", session_expiry_s=0)) as link:
                assert link.connected


def test_a_forces_own_authority_signs_the_same_request(pilot: Pilot, tmp_path: Path) -> None:
    ca, ca_key, answer = tmp_path / "force.crt", tmp_path / "force.key", tmp_path / "answer.pem"
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-noenc", "-subj", "/O=A Force/CN=Its CA")
    openssl("req", "-x509", *made, "-keyout", ca_key, "-out", ca, "-days", 100)
    extensions = tmp_path / "client.cnf"
    extensions.write_text("extendedKeyUsage = clientAuth\nkeyUsage = critical, digitalSignature\n", encoding="ascii")
    unit = pilot.unit("hk-001")
    for token in (pilot.token("hk-001"), None):
        request = unit.request(token)
        assert "verify OK" in openssl("req", "-in", request, "-noout", "-verify")
        signed = ("-CA", ca, "-CAkey", ca_key, "-days", 90, "-extfile", extensions, "-out", answer)
        openssl("x509", "-req", "-in", request, *signed)
        told = unit.certificate("install", answer, "--ca", ca)
        assert told.code == 0, told.err
    assert load_config(unit.config).config.unit.id == "hk-001"
    assert "waits to be tried: hk-001" in unit.certificate("status").out
