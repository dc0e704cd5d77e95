"""Certificates as an authority delivers them: PEM, DER, or the .p7b of Windows' certificate services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PEM = b"-----BEGIN "


def certificates_in(what: str, path: Path) -> list[x509.Certificate]:
    """Every certificate of a file that the caller named, in the file's order; one at least.

    Raises:
        UsageError: there is none, or one is damaged; the file is told as `what`.
    """
    try:
        content = path.read_bytes()
        found = _of_pem(content) if _PEM in content else _of_der(content)
    except OSError as error:
        msg = f"{what} {path} holds no certificate: {error.strerror}"
        raise UsageError(msg) from error
    except ValueError as error:
        msg = f"{what} {path} holds no certificate, or a damaged one"
        raise UsageError(msg) from error
    return found


def pem_of(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates as OpenSSL reads them."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def _of_pem(content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        # Windows calls a whole PKCS #7 a certificate.
        as_pkcs7 = content.replace(b" CERTIFICATE-----", b" PKCS7-----")
        try:
            return pkcs7.load_pem_pkcs7_certificates(as_pkcs7)
        except ValueError:
            pass
        raise


def _of_der(content: bytes) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        try:
            return pkcs7.load_der_pkcs7_certificates(content)
        except ValueError:
            raise error from None
