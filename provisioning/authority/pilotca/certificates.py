"""Makes certificates and revocation lists. Nothing that a request asks for is copied but its key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from pilotca.errors import Refused
from pilotca.kinds import BACKDATE, BRANCH_LIFE, BRANCH_USAGE, KINDS, ROOT_LIFE, Branch, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Signer:
    """An authority: its certificate and its key."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Revocation:
    """That a certificate is no longer to be trusted."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags
    since: datetime | None = None
    """From when on the key was in wrong hands, if that is known: what was signed before is still good."""


@dataclass(frozen=True)
class Wanted:
    """What is to be certified: whose key it is."""

    name: str
    key: ec.EllipticCurvePublicKey
    serial: int
    hosts: Sequence[x509.GeneralName] = ()
    """Under which names and addresses a broker is called."""


def name_of(text: str) -> x509.Name:
    """A subject that is a common name and nothing else."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def common_name(cert: x509.Certificate) -> str:
    """What a certificate calls its owner."""
    return str(cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def root(key: ec.EllipticCurvePrivateKey, org: str, serial: int, now: datetime) -> x509.Certificate:
    """The certificate of the root, signed by itself."""
    name, wanted = name_of(f"{org} root"), Wanted(f"{org} root", key.public_key(), serial)
    builder = _builder(wanted, name, (now - BACKDATE, now + ROOT_LIFE))
    return _as_authority(builder, wanted.key, depth=1).sign(key, hashes.SHA256())


def intermediate(signer: Signer, branch: Branch, wanted: Wanted, now: datetime) -> x509.Certificate:
    """The certificate of a branch: it signs no further authorities, and nothing for other uses than its own.

    Raises:
        Refused: the root ends before this certificate would.
    """
    until = _within(signer.cert, now + BRANCH_LIFE[branch])
    builder = _builder(wanted, signer.cert.subject, (now - BACKDATE, until))
    builder = builder.add_extension(x509.ExtendedKeyUsage(BRANCH_USAGE[branch]), critical=False)
    return _signed(signer, _as_authority(builder, wanted.key, depth=0))


def leaf(signer: Signer, role: Role, wanted: Wanted, now: datetime) -> x509.Certificate:
    """The certificate of a unit, a console, a broker, or of what signs footage.

    Raises:
        Refused: the authority ends before this certificate would.
    """
    kind = KINDS[role]
    builder = (
        _builder(wanted, signer.cert.subject, (now - BACKDATE, _within(signer.cert, now + kind.life)))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False, content_commitment=role is Role.MEDIA), critical=True)
        .add_extension(x509.ExtendedKeyUsage([kind.usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(wanted.key), critical=False)
    )
    if wanted.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(wanted.hosts), critical=False)
    return _signed(signer, builder)


def revocation_list(
    signer: Signer, number: int, revoked: Iterable[Revocation], now: datetime
) -> x509.CertificateRevocationList:
    """All that this authority takes back.

    It names its next issue as late as it can, the authority's own end. mosquitto refuses every client once a list is
    overdue: a list that nobody renewed in time would silence all units of a town, and the lateness that this tells of
    is no attack here, where an administrator carries the list to the broker by hand.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.cert.subject)
        .last_update(now - BACKDATE)
        .next_update(signer.cert.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_issuer_key(signer), critical=False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial).revocation_date(each.at)
        if each.reason is not x509.ReasonFlags.unspecified:  # RFC 5280, 5.3.1: absent instead
            entry = entry.add_extension(x509.CRLReason(each.reason), critical=False)
        if each.since is not None:
            entry = entry.add_extension(x509.InvalidityDate(each.since.replace(tzinfo=None)), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer.key, hashes.SHA256())


def pem(*certs: x509.Certificate) -> bytes:
    """Certificates as files have them."""
    return b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert in certs)


def _builder(wanted: Wanted, issuer: x509.Name, valid: tuple[datetime, datetime]) -> x509.CertificateBuilder:
    since, until = valid
    return (
        x509.CertificateBuilder()
        .subject_name(name_of(wanted.name))
        .issuer_name(issuer)
        .public_key(wanted.key)
        .serial_number(wanted.serial)
        .not_valid_before(since.replace(microsecond=0))
        .not_valid_after(until.replace(microsecond=0))
    )


def _as_authority(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePublicKey, depth: int
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(signer: Signer, builder: x509.CertificateBuilder) -> x509.Certificate:
    return builder.add_extension(_issuer_key(signer), critical=False).sign(signer.key, hashes.SHA256())


def _issuer_key(signer: Signer) -> x509.AuthorityKeyIdentifier:
    own = signer.cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _within(issuer: x509.Certificate, until: datetime) -> datetime:
    """The end of a certificate, which must not be later than its issuer's.

    Raises:
        Refused: it would be.
    """
    if until > issuer.not_valid_after_utc + timedelta(seconds=1):
        msg = (
            f"the authority {common_name(issuer)!r} ends on {issuer.not_valid_after_utc:%Y-%m-%d}, before what it is "
            "asked to sign would: open a new office under the root (README.md)"
        )
        raise Refused(msg)
    return until


def _key_usage(*, authority: bool, content_commitment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=content_commitment,
        key_cert_sign=authority,
        crl_sign=authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
