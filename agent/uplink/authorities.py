"""Whom a unit trusts: an authority or, while one takes the place of another, both; and which one signed for it. Pure.

OpenSSL judges each connection by the same file; this says beforehand, and to people, what it will find there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidSignature

from agent.uplink.certificate import Certificate, all_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509


SOON: Final = timedelta(days=30)
"""An end that is nearer is a fault: time for two visits."""


@dataclass(frozen=True)
class Authorities:
    """The authorities of a file."""

    trusted: tuple[Certificate, ...]
    """In the file's order; never empty."""
    signer: Certificate | None
    """The one of them below which the shown certificate stands; None: the authority of the broker is another one."""

    @classmethod
    def of(cls, ca: bytes, shown: bytes) -> Self:
        """The authorities of a PEM file, beside the certificate (and those above it) of another.

        Raises:
            CertificateUnreadable: one of them holds no certificate, or a damaged one.
        """
        trusted = all_in(ca, "the file of authorities")
        leaf, *between = all_in(shown, "the file of the certificate")
        signer = _root_of(leaf, between, trusted)
        return cls(tuple(map(Certificate.of, trusted)), None if signer is None else Certificate.of(signer))

    @property
    def needed(self) -> Certificate:
        """The one with whose end the unit's connection ends at the latest: that which signed, or the last to end."""
        return self.signer or max(self.trusted, key=lambda authority: authority.not_after)

    def objection(self, before: Authorities | None, now: datetime) -> str | None:
        """Why a certificate must not be installed that is shown beside these, as a sentence without its subject.

        Where the certificate in use stands below one of the trusted authorities the new one has to, else the unit would
        not trust the broker any more once that goes over to the new authority too.

        Args:
            before: Those of the certificate in use; None when they cannot be told.
            now: What time it is.
        """
        if self.signer is None and before is not None and before.signer is not None:
            names = ", ".join(authority.name for authority in self.trusted)
            return f"is signed by no authority that the unit would trust ({names}): give --ca with the old and the new"
        if self.signer is not None and self.signer.not_after < now:
            return f"is signed by {self.signer.name}, which has ended on {self.signer.not_after:%Y-%m-%d}"
        return None

    def in_words(self, now: datetime) -> Iterator[str]:
        """Each of them, until when it is good, and which one signed."""
        for authority in self.trusted:
            days = (authority.not_after - now) // timedelta(days=1)
            ends = "" if days >= SOON.days else f", in {days} days" if days >= 0 else ", which is over"
            signed = ", which signed its certificate" if authority == self.signer else ""
            yield f"trusts {authority.name} until {authority.not_after:%Y-%m-%d}{ends}{signed}"


def _root_of(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    """The trusted certificate at the top of the chain of a leaf, if its chain ends with one."""
    current, rest = leaf, list(between)
    while True:
        if (root := _issuer_of(current, trusted)) is not None:
            return root
        above = _issuer_of(current, rest)
        if above is None:
            return None
        rest.remove(above)
        current = above


def _issuer_of(certificate: x509.Certificate, candidates: Iterable[x509.Certificate]) -> x509.Certificate | None:
    return next((each for each in candidates if _signed(each, certificate)), None)


def _signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):  # of another name, of a kind of key that signs nothing, forged
        return False
    return True
