"""What comes from outside: a request for a certificate, of which nothing but name, key and proof is ever used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AttributeOID, NameOID

from pilotca.errors import Refused
from pilotca.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN: Final = b"-----BEGIN CERTIFICATE REQUEST-----"
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True)
class Request:
    """A request whose signature is right: who made it has the key."""

    name: str
    """The common name that it asks for, and the only part of the subject."""
    key: ec.EllipticCurvePublicKey
    """P-256."""
    proof: str | None
    """What it says in `challengePassword`."""

    @classmethod
    def read(cls, path: Path) -> Request:
        """The request in a file (PKCS #10, PEM).

        Raises:
            Refused: there is none, it was changed on its way, or it asks for what is not signed here.
        """
        content = read_bounded(path)
        if content.count(_BEGIN) != 1:
            msg = f"{path} must hold one request for a certificate (PEM), but holds {content.count(_BEGIN)}"
            raise Refused(msg)
        try:
            csr = x509.load_pem_x509_csr(content)
            key, signed = csr.public_key(), csr.is_signature_valid
            hashed = csr.signature_hash_algorithm
            subject = list(csr.subject)
        except (ValueError, UnsupportedAlgorithm) as error:
            msg = f"{path} holds a request that cannot be read: it was damaged on its way; have it made again"
            raise Refused(msg) from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            msg = f"the key of {path} is no P-256 key: units and brokers here have no other"
            raise Refused(msg)
        if not isinstance(hashed, _HASHES):
            msg = f"the signature of {path} is made with {hashed.name if hashed else 'no hash'}: SHA-256 is needed"
            raise Refused(msg)
        if not signed:
            msg = f"the signature of {path} is wrong: it was changed on its way; have it made again"
            raise Refused(msg)
        if [part.oid for part in subject] != [NameOID.COMMON_NAME]:
            msg = f"the subject of {path} must be a common name (CN) and nothing else"
            raise Refused(msg)
        return cls(str(subject[0].value), key, _proof(csr))


def _proof(csr: x509.CertificateSigningRequest) -> str | None:
    try:
        return csr.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value.decode("ascii")
    except (x509.AttributeNotFound, ValueError):
        return None
