"""Keys are born on the unit: a new one, and the request for a certificate that goes to the authority instead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AttributeOID, NameOID

from agent.durable import put_whole
from agent.enrolment import Purpose

if TYPE_CHECKING:
    from pathlib import Path

    from agent.enrolment import Token

KEY_NAME: Final = "requested.pem"
"""In `STATE/tls`: the key that a certificate was asked for, until it is installed."""
MEDIA_KEY_NAME: Final = "requested-media.pem"
"""The same for the key that signs footage."""


class KeyUnusable(ValueError):
    """A key file holds something else; the text says which and why."""


def request_certificate(
    folder: Path, name: str, *, purpose: Purpose = Purpose.MQTT, token: Token | None = None
) -> bytes:
    """A request (PKCS #10, PEM) for a certificate of a new key; of the same one until a certificate was installed.

    Args:
        folder: `STATE/tls`; made when missing.
        name: The common name, by which the broker knows the unit.
        purpose: What the key is for; each purpose has a key of its own.
        token: Proves to the pilot's authority who asks (`agent.enrolment`); a force's own needs none.

    Raises:
        OSError: the key cannot be kept.
        KeyUnusable: the key that was kept is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / requested_name(purpose)
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
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if token is not None:
        proof = token.proof(purpose, name, key.public_key()).encode("ascii")
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, proof)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def requested_name(purpose: Purpose) -> str:
    """The name of the file in which a requested key waits."""
    return MEDIA_KEY_NAME if purpose is Purpose.MEDIA else KEY_NAME
