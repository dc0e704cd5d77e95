"""Certificates as an authority delivers them: PEM, DER, or the .p7b of Windows' certificate services."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
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
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"{what} {path} holds no certificate, or a damaged one"
        raise UsageError(msg) from error
    if not found:
        msg = f"{what} {path} holds no certificate"
        raise UsageError(msg)
    return found


def pem_of(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates as OpenSSL reads them."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def _of_pem(content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        # Windows calls a whole PKCS #7 a certificate.
        with suppress(ValueError, UnsupportedAlgorithm):
            return pkcs7.load_pem_pkcs7_certificates(content.replace(b" CERTIFICATE-----", b" PKCS7-----"))
        raise


def _of_der(content: bytes) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        return pkcs7.load_der_pkcs7_certificates(content)
