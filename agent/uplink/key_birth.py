"""Keys are born on the unit: a new one, and the request for a certificate that goes to the authority instead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.durable import put_whole

if TYPE_CHECKING:
    from pathlib import Path

KEY_NAME: Final = "requested.pem"
"""In `STATE/tls`: the key that a certificate was asked for, until it is installed."""


class KeyUnusable(ValueError):
    """A key file holds something else; the text says which and why."""


def request_certificate(folder: Path, name: str) -> bytes:
    """A request (PKCS #10, PEM) for a certificate of a new key; of the same one until a certificate was installed.

    Args:
        folder: `STATE/tls`; made when missing.
        name: The common name, by which the broker knows the unit.

    Raises:
        OSError: the key cannot be kept.
        KeyUnusable: the key that was kept is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY_NAME
    if path.exists():
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError) as error:
            msg = f"{path} is no key: {error}; remove it to begin anew"
            raise KeyUnusable(msg) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            msg = f"{path} is no elliptic curve key; remove it to begin anew"
            raise KeyUnusable(msg)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        put_whole(path, pem)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)
