"""What a certificate says of itself: whose it is and when it is valid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


class CertificateUnreadable(ValueError):
    """The file holds no certificate; the text says which and why."""


@dataclass(frozen=True)
class Certificate:
    """The first certificate of a file, which is its owner's; what follows are those of the authorities above."""

    name: str
    """The common name of its subject; empty when it has none."""
    not_before: datetime
    """Aware, UTC."""
    not_after: datetime
    """Aware, UTC: it is of no use after this."""
    serial: int
    """Its authority gives it to no other."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The certificate of a PEM file.

        Raises:
            CertificateUnreadable: there is none.
        """
        try:
            text = path.read_bytes()
        except OSError as error:
            msg = f"{path} holds no certificate: {error.strerror}"
            raise CertificateUnreadable(msg) from error
        return cls.of(all_in(text, str(path))[0])

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Self:
        """What this one says."""
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value) if names else ""
        return cls(name, certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.serial_number)


def all_in(pem: bytes, where: str) -> list[x509.Certificate]:
    """Every certificate of a PEM text, one at least.

    Raises:
        CertificateUnreadable: there is none, or one is damaged.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        msg = f"{where} holds no certificate: {error}"
        raise CertificateUnreadable(msg) from error
