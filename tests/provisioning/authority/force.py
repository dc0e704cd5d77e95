"""A force's own PKI: a root, an authority below it that issues for people and things, and another one for servers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fakes.authority import Credentials

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
DOCUMENTS: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""documentSigning (RFC 9336)."""
DECADES: Final = timedelta(days=9131)
YEAR: Final = timedelta(days=365)
Certificate = x509.Certificate
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Signing = tuple[x509.Name, Key]
"""Who signs, with what."""
Life = tuple[datetime, datetime]
"""From when to when a certificate is valid."""


def life(ends_in: timedelta, began_before: timedelta = timedelta(hours=1)) -> Life:
    """A certificate's, seen from now."""
    now = datetime.now(UTC)
    return now - began_before, now + ends_in


def pem(*certificates: Certificate) -> bytes:
    """A file of these, in this order."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def name(common_name: str) -> x509.Name:
    """As a force's directory writes it, with more than a common name."""
    parts = {NameOID.COUNTRY_NAME: "GB", NameOID.ORGANIZATION_NAME: "A Force", NameOID.COMMON_NAME: common_name}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


@dataclass(frozen=True)
class Desk:
    """One authority of a force: a certificate and its key."""

    cert: Certificate
    key: Key

    @classmethod
    def root(cls, called: str, key: Key | None = None) -> Self:
        """One that vouches for itself."""
        key = key or ec.generate_private_key(ec.SECP384R1())
        return cls(_authority(name(called), key.public_key(), life(DECADES), (name(called), key)), key)

    def below(self, called: str, valid: Life | None = None) -> Desk:
        """An authority that this one signed."""
        key = ec.generate_private_key(ec.SECP384R1())
        above = self.cert.subject, self.key
        return Desk(_authority(name(called), key.public_key(), valid or life(DECADES), above), key)

    def sign(
        self,
        public: CertificateIssuerPublicKeyTypes,
        common_name: str,
        use: x509.ObjectIdentifier = CLIENT,
        valid: Life | None = None,
        names: tuple[x509.GeneralName, ...] = (),
    ) -> Certificate:
        """A certificate for somebody who is no authority."""
        builder = _builder(name(common_name), self.cert.subject, public, valid or life(YEAR))
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def answer(
        self, request: Path, common_name: str = "hk-001", use: x509.ObjectIdentifier = CLIENT, valid: Life | None = None
    ) -> Certificate:
        """The certificate that a unit's request asks for; the name is typed by whoever signs, as people do."""
        csr = x509.load_pem_x509_csr(request.read_bytes())
        assert csr.is_signature_valid
        public = csr.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        return self.sign(public, common_name, use, valid)


class Force:
    """A root and what stands below it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root = Desk.root("A Force Root", rsa.generate_private_key(65537, 2048))
        self.issuing = self.root.below("A Force Issuing 1")
        self.servers = self.root.below("A Force Servers 1")
        self.root_file = self.file("root.crt", self.root.cert)

    def file(self, called: str, *certificates: Certificate) -> Path:
        """A file of these, in this order, as it comes by mail."""
        path = self._folder / called
        path.write_bytes(pem(*certificates))
        return path

    def issue_server(self) -> Credentials:
        """A broker's, with the authority above it (`tests.provisioning.broker.rendered.ServerAuthority`)."""
        return self._issue("localhost", self.servers, SERVER, (x509.DNSName("localhost"),))

    def issue_client(self, common_name: str) -> Credentials:
        """A console's."""
        return self._issue(common_name, self.issuing, CLIENT, ())

    def revoked(self, certificate: Certificate) -> Path:
        """The issuing authority's list, on which this one is."""
        since, until = life(YEAR)
        gone = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(since).build()
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.issuing.cert.subject)
        listed = builder.last_update(since).next_update(until).add_revoked_certificate(gone)
        path = self._folder / "revoked.pem"
        crl = listed.sign(self.issuing.key, hashes.SHA256())
        path.write_bytes(crl.public_bytes(serialization.Encoding.PEM))
        return path

    def _issue(
        self, common_name: str, desk: Desk, use: x509.ObjectIdentifier, names: tuple[x509.GeneralName, ...]
    ) -> Credentials:
        key = ec.generate_private_key(ec.SECP256R1())
        key_file = self._folder / f"{common_name}.key"
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        key_file.chmod(0o600)
        cert = desk.sign(key.public_key(), common_name, use, names=names)
        return Credentials(self.root_file, self.file(f"{common_name}.crt", cert, desk.cert), key_file)


def _authority(subject: x509.Name, public: CertificateIssuerPublicKeyTypes, valid: Life, above: Signing) -> Certificate:
    """The certificate of an authority."""
    usage = x509.KeyUsage(
        digital_signature=False,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    issuer, key = above
    return (
        _builder(subject, issuer, public, valid)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: CertificateIssuerPublicKeyTypes, valid: Life
) -> x509.CertificateBuilder:
    since, until = valid
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
