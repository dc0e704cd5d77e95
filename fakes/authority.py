"""A certificate authority for one run: born with it, forgotten after it."""

from __future__ import annotations

import ipaddress
import itertools
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

LIFE: Final = timedelta(days=40)
"""Longer than the 30 days from which on a unit reports that its certificate ends."""
BACKDATE: Final = timedelta(hours=1)
"""The clocks of the machines of a bench differ."""
Validity = tuple[datetime, datetime]
"""From when to when a certificate is valid."""


@dataclass(frozen=True)
class Credentials:
    """The files with which one party shows who it is."""

    ca_file: Path
    cert_file: Path
    key_file: Path


class Authority:
    """Signs certificates (P-256) and writes them into its folder, for their owner's eyes only."""

    def __init__(self, folder: Path, name: str = "street", valid: Validity | None = None) -> None:
        """Make the authority.

        Args:
            folder: Where its files go; made when missing.
            name: What its own certificate calls it.
            valid: From when to when its own certificate is valid; None: for a run that begins now.
        """
        self.servers_valid: Validity | None = None
        """The same for the brokers' certificates that are issued from now on."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._servers = itertools.count(1)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name(f"{name} authority of this run")
        self._cert = (
            _builder(self._subject, self._subject, self._key.public_key(), valid)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = folder / "ca.crt"
        """The authority's own certificate, which everybody trusts for this run."""
        _write(self.ca_file, self._cert.public_bytes(serialization.Encoding.PEM))

    def issue_client(self, common_name: str, valid: Validity | None = None) -> Credentials:
        """A certificate for a unit or a console; the broker knows it by this name."""
        return self._issue(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, (), valid)

    def sign(
        self,
        request: x509.CertificateSigningRequest,
        use: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> bytes:
        """The certificate (PEM) that a unit asked for with a key of its own."""
        public = request.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            msg = "this authority signs elliptic curve keys only"
            raise TypeError(msg)
        builder = _builder(request.subject, self._subject, public, None)
        usage = x509.ExtendedKeyUsage([use])
        certificate = builder.add_extension(usage, critical=False).sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    def issue_server(self, common_name: str = "localhost") -> Credentials:
        """A certificate for a broker on this machine's loopback, in files that no other one reads at this moment."""
        names = (
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
            x509.IPAddress(ipaddress.IPv6Address("::1")),
        )
        file_name = f"{common_name}-{next(self._servers)}"
        return self._issue(common_name, ExtendedKeyUsageOID.SERVER_AUTH, names, self.servers_valid, file_name)

    def _issue(
        self,
        common_name: str,
        usage: x509.ObjectIdentifier,
        names: tuple[x509.GeneralName, ...],
        valid: Validity | None,
        file_name: str | None = None,
    ) -> Credentials:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(common_name), self._subject, key.public_key(), valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        stem = file_name or common_name
        issued = Credentials(self.ca_file, self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        _write(issued.cert_file, certificate.public_bytes(serialization.Encoding.PEM))
        _write(
            issued.key_file,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        return issued


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, valid: Validity | None
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    since, until = valid or (now - BACKDATE, now + LIFE)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file that nobody else can read, at no moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
