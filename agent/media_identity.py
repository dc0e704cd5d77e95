"""The key that signs footage and the certificates that say whose it is, in one file: they change together or not.

The shape is what ONVIF Media Signing puts into each of its messages: the unit's certificate first, then each authority
above it, without the root, which whoever verifies has from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.durable import put_whole

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

FILE_NAME: Final = "media.pem"
"""In `STATE/tls`: the key, then the certificates (PEM)."""
MOST_CERTIFICATES: Final = 4
"""ONVIF's reference validator takes no more (media-signing 3.6)."""


class MediaIdentityUnusable(ValueError):
    """No footage can be signed with this; the text says why."""


@dataclass(frozen=True)
class MediaIdentity:
    """With what a unit signs its footage."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]
    """Each issued by the next one; the root is not among them."""

    @classmethod
    def of(cls, key: bytes, certs: bytes) -> Self:
        """The identity of a key and its certificates (PEM).

        Raises:
            MediaIdentityUnusable: they do not belong together, or are not what a validator takes.
        """
        try:
            private = serialization.load_pem_private_key(key, None)
            chain = tuple(x509.load_pem_x509_certificates(certs))
        except (ValueError, TypeError) as error:
            msg = f"the key or its certificate cannot be read: {error}"
            raise MediaIdentityUnusable(msg) from error
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            msg = "the key is no P-256 key: the size of each signature would differ from what the footage has room for"
            raise MediaIdentityUnusable(msg)
        if chain[0].public_key() != private.public_key():
            msg = "the first certificate is not that of the key"
            raise MediaIdentityUnusable(msg)
        if chain[-1].subject == chain[-1].issuer:
            msg = "the root must not be among the certificates: validators refuse footage that brings its own"
            raise MediaIdentityUnusable(msg)
        if len(chain) > MOST_CERTIFICATES:
            msg = f"there are {len(chain)} certificates: validators take {MOST_CERTIFICATES} at most"
            raise MediaIdentityUnusable(msg)
        for lower, upper in pairwise(chain):
            try:
                lower.verify_directly_issued_by(upper)
            except (ValueError, TypeError, InvalidSignature) as error:
                msg = "each certificate must be followed by the one of the authority that signed it"
                raise MediaIdentityUnusable(msg) from error
        return cls(private, chain)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The identity in a file that `put` wrote.

        Raises:
            MediaIdentityUnusable: it is damaged.
            OSError: it cannot be read.
        """
        content = path.read_bytes()
        return cls.of(content, content)

    def put(self, path: Path) -> None:
        """Write it, for the owner's eyes only; on return it outlives a power cut.

        Raises:
            OSError: what was there before still is.
        """
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_whole(path, key + self.chain_pem)

    @property
    def name(self) -> str:
        """Whose it is: the common name of the first certificate; empty when it has none."""
        names = self.chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""

    @property
    def until(self) -> datetime:
        """When the first of the certificates ends; aware, UTC."""
        return min(cert.not_valid_after_utc for cert in self.chain)

    @property
    def chain_pem(self) -> bytes:
        """The certificates as the footage carries them."""
        return b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert in self.chain)
