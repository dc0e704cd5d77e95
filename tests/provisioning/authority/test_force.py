"""A force's own PKI: the request that the unit makes, the force's intermediate, a broker that trusts the root alone.

No line of `provisioning/authority` has a part in it.
"""

from __future__ import annotations

import re
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

from agent.cli.main import main as safepoint
from agent.clock import SystemClock
from agent.commission.seal import Signer
from agent.config.load import load_config
from agent.control_room.room import ControlRoom
from agent.media_identity import MediaIdentity
from agent.signals import Category, Faulted
from agent.uplink import credentials as credentials_module
from agent.uplink.authorities import Authorities
from agent.uplink.credentials import Credentials as UnitCredentials
from agent.uplink.endpoint import Endpoint
from agent.uplink.inspection import authority_ends
from agent.uplink.publication import Publication, PublishRefused
from agent.uplink.room import UplinkRoom
from agent.uplink.topics import UnitTopics
from tests.alongside import alongside
from tests.provisioning.authority.force import DECADES, DOCUMENTS, SERVER, YEAR, Desk, Force, life, pem
from tests.provisioning.authority.pilot import ORG, UNIT, Unit, openssl
from tests.provisioning.broker.rendered import CONSOLE, RenderedBroker, why_locked_out
from tests.uplink.lab import linked, passing, tell, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from cryptography import x509

    from agent.config.settings import Config
    from agent.rooms import Room
    from agent.signals import Signal
    from fakes.authority import Credentials

HEARD_WITHIN_S = 100.0


@pytest.fixture(scope="module")
def force(tmp_path_factory: pytest.TempPathFactory) -> Force:
    return Force(tmp_path_factory.mktemp("force"))


@pytest.fixture
def unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Unit:
    """A unit on the bench that never had a certificate."""
    return bench(tmp_path, capsys)


def bench(folder: Path, capsys: pytest.CaptureFixture[str], broker: str = "mqtts://localhost") -> Unit:
    unit = Unit(folder / "unit", "hk-001", capsys)
    (unit.folder / "state").mkdir(parents=True)
    unit.config.write_text(UNIT.format(name="hk-001").replace("mqtts://localhost", broker), encoding="utf-8")
    return unit


def refused(unit: Unit, *words: object) -> str:
    """What `install` says, which changes no byte: the key that was asked for waits for a better answer."""
    before = keys_and_certificates(unit)
    told = unit.certificate("install", *words)
    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1), told
    assert keys_and_certificates(unit) == before
    return told.err


def keys_and_certificates(unit: Unit) -> dict[Path, bytes]:
    folders = (unit.folder / "tls", unit.folder / "state/tls")
    return {file: file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


class AtWork:
    """The unit's whole uplink, as the daemon puts it together."""

    def __init__(self, config: Config) -> None:
        self.told: list[Signal] = []
        clock = SystemClock()
        found = UnitCredentials.of(config, clock)
        assert found is not None
        self.uplink = UplinkRoom(
            config,
            Endpoint.from_settings(config.uplink, found.tls),
            clock,
            alternate=None,
            credentials=found,
            facts=dict,
            report=self.told.append,
            on_command=lambda _: None,
            on_up=lambda: None,
        )
        self._clock = clock

    def call_for_help(self, alert_id: str) -> None:
        """Somebody presses the button."""
        self.uplink.courier.submit([tell(alert_id, 1, self._clock.now())])

    @property
    def faults(self) -> list[Signal]:
        """Whatever was ever wrong."""
        return [each for each in self.told if isinstance(each, Faulted)]

    @property
    def certificate(self) -> dict[str, object]:
        return dict(self.uplink.facts().get("certificate", {}))


@asynccontextmanager
async def at_work(unit: Unit) -> AsyncIterator[AtWork]:
    working = AtWork(load_config(unit.config).config)
    await working.uplink.begin()
    try:
        async with alongside(*(_run(room) for room in working.uplink.rooms())):
            yield working
            await working.uplink.say_goodbye()
            await working.uplink.paths.close()
    finally:
        await working.uplink.outbox.close()


async def _run(room: Room) -> None:
    _, run = room
    await run(lambda: None)


def way(broker: RenderedBroker, who: Credentials) -> Endpoint:
    """The way to the broker of somebody who has these."""
    return Endpoint.build(broker.url, ca_file=who.ca_file, cert_file=who.cert_file, key_file=who.key_file)


async def heard(room: ControlRoom, working: AtWork, alert_id: str) -> None:
    """A call for help reaches the control room, and its acknowledgement the unit."""
    working.call_for_help(alert_id)
    await room.wait_for(lambda room: room.alerts.get(alert_id), HEARD_WITHIN_S)
    await until(lambda: working.uplink.courier.pending == 0, "the acknowledgement is there")


async def test_a_unit_of_a_forces_pki_is_heard_and_is_renewed_while_it_works(
    force: Force, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials_module, "LOOK_EVERY_S", 0.05)
    desk = force.issue_client(CONSOLE)
    broker = RenderedBroker(tmp_path / "broker", force, "--crl", force.revoked(somebody(force)))
    assert f"cafile {force.root_file}\n" in (broker.folder / "mosquitto.conf").read_text(encoding="utf-8")
    unit = bench(tmp_path, capsys, broker.url)
    cert = force.issuing.answer(unit.request(None))
    told = unit.certificate("install", force.file("first.pem", cert, force.issuing.cert), "--ca", force.root_file)
    assert (told.code, "It is the unit's first certificate" in told.out) == (0, True), told
    async with (
        broker,
        ControlRoom(way(broker, desk), CONSOLE, SystemClock(), org=ORG) as room,
        at_work(unit) as working,
    ):
        await heard(room, working, "inc-1")
        paths, topics = working.uplink.paths, UnitTopics(ORG, "hk-001")
        await paths.publish(Publication(topics.audit, b"{}"))
        for topic in (UnitTopics(ORG, "hk-002").alert(Category.HELP), topics.ack):
            with pytest.raises(PublishRefused):
                await paths.publish(Publication(topic, b"{}"))

        renewed = force.file("renewed.pem", force.issuing.answer(unit.request(None)), force.issuing.cert)
        told = unit.certificate("install", renewed)
        assert (told.code, "It waits in slot a" in told.out) == (0, True), told
        await until(lambda: working.certificate.get("active") == "a", "the broker took the new one")
        assert working.faults == []
        status = unit.certificate("status").out
        assert "a      in use: hk-001, valid until 20" in status
        assert "given  kept: hk-001, valid until 20" in status
        assert "in use: trusts A Force Root until 20" in status
        assert "in use: is signed by A Force Issuing 1, good until 20" in status

        alone = force.file("alone.crt", cert)
        why = why_locked_out(broker, force.root_file, alone, unit.folder / "tls/key.pem")
        assert re.search("unknown.ca", why, re.IGNORECASE), "the broker knows the authority between by the unit alone"

        force.revoked(cert)  # the first one: whoever is let in now has the new one
        await broker.end(signal.SIGTERM)
        await broker.start()
        await heard(room, working, "inc-2")
        assert working.certificate["acceptedAs"] == "a"


async def test_who_is_on_the_forces_list_is_locked_out_and_its_calls_wait(
    force: Force, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = RenderedBroker(tmp_path / "broker", force, "--crl", force.revoked(somebody(force)))
    unit = bench(tmp_path, capsys, broker.url)
    cert = force.issuing.answer(unit.request(None))
    force.revoked(cert)
    answer = force.file("answer.pem", cert, force.issuing.cert)
    assert unit.certificate("install", answer, "--ca", force.root_file).code == 0
    async with broker, at_work(unit) as working:
        working.call_for_help("inc-1")
        await until(lambda: "certificate right?" in (working.uplink.paths.trouble or ""), "the unit says what it is")
        assert (working.uplink.paths.connected, working.uplink.courier.pending) == (False, 1)


async def test_mosquitto_trusts_all_below_a_root_and_no_intermediate_alone(force: Force, tmp_path: Path) -> None:
    """Why README.md says to mind whom the root vouches for."""
    unit = force.issue_client("hk-001")
    issuing = force.file("issuing.crt", force.issuing.cert)
    async with RenderedBroker(tmp_path / "narrow", force, "--ca", issuing) as broker:
        told = why_locked_out(broker, force.root_file, unit.cert_file, unit.key_file)
        assert re.search("unknown.ca", told, re.IGNORECASE), told
    theirs = force.issue_client("laptop-7")
    broker = RenderedBroker(tmp_path / "wide", force)
    laptop = way(broker, theirs)
    async with broker, linked(laptop, passing("laptop-7")) as link:
        await link.publish(Publication(UnitTopics(ORG, "laptop-7").status, b"{}"))
        with pytest.raises(PublishRefused):
            await link.publish(Publication(UnitTopics(ORG, "hk-001").status, b"{}"))


def somebody(force: Force, called: str = "hk-099") -> x509.Certificate:
    """Another machine of the force."""
    return force.issuing.sign(ec.generate_private_key(ec.SECP256R1()).public_key(), called)


STRANGER = Desk.root("Another Root")
NAMESAKE = Desk.root("A Force Root")


@dataclass(frozen=True)
class Asked:
    """What a force has before it when it answers."""

    force: Force
    request: Path

    @property
    def issuing(self) -> x509.Certificate:
        return self.force.issuing.cert

    @property
    def ended(self) -> Desk:
        """An authority that signs though its own time is over."""
        return self.force.root.below("A Force Issuing 0", life(timedelta(days=-1), YEAR))

    def answer(self, common_name: str = "hk-001", **otherwise: Any) -> x509.Certificate:  # noqa: ANN401 - Desk's own
        return self.force.issuing.answer(self.request, common_name, **otherwise)

    def below(self, desk: Desk) -> list[x509.Certificate]:
        return [desk.answer(self.request), desk.cert]


OURS = "is signed by no authority that the unit would trust (A Force Root)"


@pytest.mark.parametrize(
    ("answered", "why"),
    [
        (
            lambda asked: [asked.answer()],
            f"{OURS}: the certificate of A Force Issuing 1, which signed it, is missing",
        ),
        (
            lambda asked: [STRANGER.answer(asked.request)],
            f"{OURS}: the certificate of Another Root, which signed it, is missing",
        ),
        (lambda asked: asked.below(STRANGER), f"{OURS}, but by Another Root: "),
        (lambda asked: asked.below(NAMESAKE), f"{OURS}, but by another A Force Root, with another key: "),
        (
            lambda asked: [NAMESAKE.answer(asked.request)],
            f"{OURS}, but by another A Force Root, with another key: ",
        ),
        (lambda asked: [asked.answer(common_name="hk-002"), asked.issuing], "is the certificate of hk-002, not of hk-"),
        (lambda asked: [somebody(asked.force, "hk-001"), asked.issuing], "are no matching pair"),
        (lambda asked: [asked.answer(valid=life(timedelta(days=-1), YEAR)), asked.issuing], "has ended on 20"),
        (lambda asked: asked.below(asked.ended), "is signed by A Force Issuing 0, which has ended on 20"),
        (lambda asked: [asked.answer(use=SERVER), asked.issuing], "would let nobody in at the broker"),
        (lambda asked: [asked.issuing, asked.force.root.cert], "is the certificate of A Force Issuing 1, not of hk-"),
    ],
    ids=[
        "without its intermediate",
        "somebody else's",
        "somebody else's with his root",
        "of a root of the same name",
        "of a root of the same name without it",
        "another unit's name",
        "another key",
        "ended",
        "below an authority that has ended",
        "not for clients",
        "the authorities alone",
    ],
)
def test_what_a_broker_of_the_force_would_not_take_is_refused_in_a_sentence_and_nothing_is_lost(
    force: Force, unit: Unit, answered: Callable[[Asked], list[x509.Certificate]], why: str
) -> None:
    for trusting in (("--ca", force.root_file), ()):  # the first certificate, and a renewal
        request = unit.request(None)
        assert why in refused(unit, force.file("brought.pem", *answered(Asked(force, request))), *trusting)
        right = force.file("right.pem", force.issuing.answer(request), force.issuing.cert)
        told = unit.certificate("install", right, *trusting)
        assert told.code == 0, told.err


def windows(force: Force, *certs: x509.Certificate) -> Path:
    """A .p7b in Base64 as Windows' certificate services give it: they call it a certificate."""
    path = force.file("chain.p7b")
    text = pkcs7.serialize_certificates([*certs], serialization.Encoding.PEM)
    path.write_bytes(text.replace(b"PKCS7", b"CERTIFICATE").replace(b"\n", b"\r\n"))
    return path


def binary(force: Force, *certs: x509.Certificate) -> Path:
    path = force.file("chain.der")
    path.write_bytes(pkcs7.serialize_certificates([*certs], serialization.Encoding.DER))
    return path


@pytest.mark.parametrize("written", [lambda force, *certs: force.file("turned.pem", *certs), windows, binary])
def test_a_chain_in_any_order_and_form_lies_in_the_unit_as_it_is_to_be_shown(
    force: Force, unit: Unit, written: Callable[..., Path]
) -> None:
    """Accepted, not refused: some deliver the root first, and who stands on a ladder has no editor."""
    root = force.file("root.cer")
    root.write_bytes(force.root.cert.public_bytes(serialization.Encoding.DER))
    for place in ("tls", "state/tls/a"):
        cert = force.issuing.answer(unit.request(None))
        brought = written(force, force.root.cert, force.servers.cert, force.issuing.cert, cert)
        told = unit.certificate("install", brought, "--ca", root)
        assert told.code == 0, told.err
        assert (unit.folder / place / "cert.pem").read_bytes() == pem(cert, force.issuing.cert)
    assert (unit.folder / "tls/ca.crt").read_bytes() == pem(force.root.cert)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>certificate services: log in</html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PKCS7-----\nMAsGCSqGSIb3DQEHAQ==\n-----END PKCS7-----\n",
        bytes.fromhex("300b06092a864886f70d010701"),  # a PKCS #7 of another kind
    ],
)
def test_what_holds_no_certificate_is_refused_in_a_sentence_wherever_it_is_named(
    force: Force, unit: Unit, content: bytes
) -> None:
    nothing = force.file("nothing")
    nothing.write_bytes(content)
    right = force.file("right.pem", force.issuing.answer(unit.request(None)), force.issuing.cert)
    for words in (
        (nothing, "--ca", force.root_file),
        (right, "--ca", nothing),
        (right, "--ca", force.root_file, "--signed-by", nothing),
        ("--media", nothing),
    ):
        assert f"{nothing} holds no certificate" in refused(unit, *words)


def test_a_broker_below_another_authority_needs_that_of_units_named_once(force: Force, unit: Unit) -> None:
    brokers = Desk.root("Another Root")
    theirs = force.file("brokers.crt", brokers.cert)
    request = unit.request(None)
    alone = force.file("alone.pem", cert := force.issuing.answer(request))
    whole = force.file("whole.pem", cert, force.issuing.cert)
    assert "name that of units with --signed-by" in refused(unit, whole, "--ca", theirs)
    assert "no authority of --signed-by (Another Root)" in refused(unit, whole, "--ca", theirs, "--signed-by", theirs)
    told = unit.certificate("install", whole, "--ca", theirs, "--signed-by", force.root_file)
    assert told.code == 0, told.err
    alone = force.file("alone.pem", force.issuing.answer(unit.request(None)))
    assert "lacks the certificate of A Force Issuing 1, which signed it" in refused(unit, alone)


def test_an_intermediate_is_nobody_to_trust(force: Force, unit: Unit) -> None:
    cert = force.issuing.answer(unit.request(None))
    issuing = force.file("issuing.crt", force.issuing.cert)
    told = refused(unit, force.file("answer.pem", cert), "--ca", issuing)
    assert "holds no root: A Force Issuing 1 is signed by A Force Root" in told
    both = force.file("both.crt", force.issuing.cert, force.root.cert)
    assert unit.certificate("install", force.file("answer.pem", cert), "--ca", both).code == 0
    assert (unit.folder / "tls/cert.pem").read_bytes() == pem(cert, force.issuing.cert), "the unit shows it"


def test_a_certificate_is_worth_nothing_after_the_end_of_the_authority_between(force: Force, unit: Unit) -> None:
    soon = force.root.below("A Force Issuing 0", life(timedelta(days=20, hours=12)))
    whole = force.file("whole.pem", soon.answer(unit.request(None)), soon.cert)
    assert unit.certificate("install", whole, "--ca", force.root_file).code == 0
    authorities = Authorities.of(pem(force.root.cert), whole.read_bytes())
    told = authority_ends(authorities.needed, datetime.now(UTC))
    assert told is not None
    assert told.startswith("The authority A Force Issuing 0 ends on 20")
    assert "is signed by A Force Issuing 0, good until 20" in unit.certificate("status").out
    assert ", in 20 days\n" in unit.certificate("status").out


def test_footage_signed_by_a_forces_certificate_is_verified_by_openssl_with_the_root_decades_later(
    force: Force, unit: Unit, tmp_path: Path
) -> None:
    """There is no more to it yet: the unit's footage is not signed by this program so far."""
    cert = force.issuing.answer(unit.request(None, "--media"), use=DOCUMENTS, valid=life(DECADES))
    told = unit.certificate("install", "--media", force.file("media.pem", force.root.cert, force.issuing.cert, cert))
    assert told.code == 0, told.err
    assert told.out.endswith("Who verifies it must have A Force Root.\n")
    identity = MediaIdentity.read(unit.folder / "state/tls/media.pem")
    assert identity.chain == (cert, force.issuing.cert)
    film, signature, chain, key = (tmp_path / name for name in ("film", "signature", "chain.pem", "key.pub"))
    film.write_bytes(b"a street by night")
    signature.write_bytes(identity.key.sign(film.read_bytes(), ec.ECDSA(hashes.SHA256())))
    chain.write_bytes(identity.chain_pem)
    at = int((datetime.now(UTC) + 0.9 * DECADES).timestamp())
    verified = ("verify", "-x509_strict", "-attime", at, "-CAfile", force.root_file, "-untrusted", chain, chain)
    assert openssl(*verified) == f"{chain}: OK\n"
    key.write_text(openssl("x509", "-in", chain, "-noout", "-pubkey"), encoding="ascii")
    assert openssl("dgst", "-sha256", "-verify", key, "-signature", signature, film) == "Verified OK\n"


def test_what_cannot_sign_a_forces_footage_is_refused_in_a_sentence_and_nothing_is_lost(
    force: Force, unit: Unit
) -> None:
    request = unit.request(None, "--media")
    cert = force.issuing.answer(request, use=DOCUMENTS, valid=life(DECADES))
    client = force.issuing.answer(request, valid=life(DECADES))
    stranger = force.file("stranger.crt", Desk.root("Another Root").cert)
    for certs, root, why in (
        ((cert,), force.root_file, "the certificate of A Force Issuing 1, which signed it, is missing"),
        ((cert, force.issuing.cert), stranger, "signed by no authority of --signed-by (Another Root)"),
        ((client, force.issuing.cert), force.root_file, "would open connections to the broker"),
        ((force.issuing.answer(request, "hk-002", DOCUMENTS), force.issuing.cert), force.root_file, "of hk-002, not"),
        ((somebody(force), force.issuing.cert), force.root_file, "of hk-099, not of hk-001"),
    ):
        assert why in refused(unit, "--media", force.file("media.pem", *certs), "--signed-by", root)
    whole = force.file("media.pem", cert, force.issuing.cert)
    told = unit.certificate("install", "--media", whole, "--signed-by", force.root_file)
    assert told.code == 0, told.err


def test_a_commissioning_signed_with_a_forces_certificate_holds_for_its_root_and_for_no_other(
    force: Force, unit: Unit, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = force.file("whole.pem", force.issuing.cert, force.issuing.answer(unit.request(None)))
    assert unit.certificate("install", whole, "--ca", force.root_file).code == 0
    signer = Signer.load(unit.folder / "tls/key.pem", unit.folder / "tls/cert.pem")
    result = {"unit": {"id": "hk-001"}, "passed": True, "ended": datetime.now(UTC).isoformat(), "engineer": "A"}
    result["countersigned"] = {"operatorRef": "op-17"}
    sealed = unit.folder / "result.json"
    sealed.write_bytes(signer.seal(result))
    stranger = force.file("stranger.crt", Desk.root("Another Root").cert)
    for root, code, words in (
        (force.root_file, 0, "vouches for it"),
        (stranger, 2, "no authority in that file vouches for the certificate of hk-001"),
    ):
        assert safepoint(["commission", "verify", str(sealed), "--ca", str(root)]) == code
        said = capsys.readouterr()
        assert words in said.out + said.err
