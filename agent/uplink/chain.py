"""A certificate and the authorities above it, put into the order in which they are shown. Pure.

An authority may deliver them in any order, with its root or without: Windows does it otherwise than OpenSSL. Shown is
the owner's first and then whoever signed the one before (RFC 8446 4.4.2), without the root, which the other end must
have from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Chain:
    """The way up from one certificate, as far as it is known."""

    own: x509.Certificate
    above: tuple[x509.Certificate, ...]
    """Each signed the one before it; a root is the last, where it was found."""

    @classmethod
    def of(cls, delivered: Sequence[x509.Certificate], known: Iterable[x509.Certificate] = ()) -> Self:
        """The chain of the first delivered certificate that is no authority's; what is not on its way is left out.

        Args:
            delivered: One at least, in any order.
            known: Authorities from elsewhere, which may be on the way too.
        """
        own = next((each for each in delivered if not _is_authority(each)), delivered[0])
        rest = {each for each in (*delivered, *known) if each != own}
        above: list[x509.Certificate] = []
        top = own
        while not is_root(top) and (signers := [each for each in rest if _signed(each, top)]):
            # An authority that was renewed with the same key has two: the one that is good for longer.
            top = max(signers, key=lambda each: each.not_valid_after_utc)
            rest.remove(top)
            above.append(top)
        return cls(own, tuple(above))

    @property
    def top(self) -> x509.Certificate:
        """Where the way ends."""
        return self.above[-1] if self.above else self.own

    @property
    def missing(self) -> str | None:
        """The name of the authority whose certificate is missing for the way to go on; None: it ends at a root."""
        return None if is_root(self.top) else name_of(self.top.issuer)

    @property
    def shown(self) -> bytes:
        """What is shown to the other end (PEM)."""
        between = (each for each in self.above if not is_root(each))
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (self.own, *between))


def is_root(certificate: x509.Certificate) -> bool:
    """Whether a certificate stands at the top: it vouches for itself."""
    return certificate.subject == certificate.issuer and _is_authority(certificate)


def name_of(name: x509.Name) -> str:
    """What people call its owner: the common name, or all of it where there is none."""
    names = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else name.rfc4514_string()


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):  # an old root says nothing of it; a damaged one says nothing at all
        return certificate.subject == certificate.issuer


def _signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    if not _is_authority(authority):
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        # Of another name, of a kind of key that signs nothing, forged, or signed in a way that nobody should trust.
        return False
    return True
