"""Whom a unit trusts: an authority or, while one takes the place of another, both; and which one signed for it. Pure.

OpenSSL judges each connection by the same file; this says beforehand, and to people, what it will find there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from agent.uplink.certificate import Certificate, all_in
from agent.uplink.chain import Chain, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509


SOON: Final = timedelta(days=30)
"""An end that is nearer is a fault: time for two visits."""


@dataclass(frozen=True)
class Authorities:
    """The authorities of a file, beside a certificate."""

    trusted: tuple[Certificate, ...]
    """In the file's order; never empty."""
    signer: Certificate | None
    """The one of them below which the shown certificate stands; None: the authority of the broker is another one."""
    between: tuple[Certificate, ...]
    """The other ones above the shown certificate, as far as they are known: the one that signed it comes first."""
    missing: str | None
    """The name of an authority above it whose certificate is nowhere; None: the chain is whole."""

    @classmethod
    def of(cls, ca: bytes, shown: bytes) -> Self:
        """The authorities of a PEM file, beside the certificate (and those above it) of another.

        Raises:
            CertificateUnreadable: one of them holds no certificate, or a damaged one.
        """
        trusted = all_in(ca, "the file of authorities")
        return cls.above(Chain.of(all_in(shown, "the file of the certificate"), trusted), trusted)

    @classmethod
    def above(cls, chain: Chain, trusted: Sequence[x509.Certificate]) -> Self:
        """These authorities, beside the chain of a certificate."""
        signer = next((each for each in reversed(chain.above) if each in trusted), None)
        return cls(
            tuple(map(_named, trusted)),
            None if signer is None else _named(signer),
            tuple(_named(each) for each in chain.above if each != signer),
            chain.missing,
        )

    @property
    def needed(self) -> Certificate:
        """The one with whose end the unit's connection ends at the latest.

        That is whichever ends first of those that signed; where the broker's authority is another one, that counts too.
        """
        top = self.signer or max(self.trusted, key=_end)
        return min((*self.between, top), key=_end)

    def objection(
        self,
        before: Authorities | None,
        now: datetime,
        *,
        otherwise: str | None = None,
        which: str = "that the unit would trust",
    ) -> str | None:
        """Why a certificate must not be installed that is shown beside these, as a sentence without its subject.

        Where the certificate in use stands below one of the trusted authorities the new one has to, else the unit would
        not trust the broker any more once that goes over to the new authority too.

        Args:
            before: Those of the certificate in use; None when there is none, or they cannot be told.
            now: What time it is.
            otherwise: It has to stand below one of these in any case, and this is what to do where it should not.
            which: What these authorities are.
        """
        bound = otherwise is not None or (before is not None and before.signer is not None)
        if self.signer is None and bound:
            return self._foreign(which, otherwise or "if the authority changes, give --ca with the old and the new")
        if self.signer is None and before is not None and self.missing in {each.name for each in before.between}:
            return f"lacks the certificate of {self.missing}, which signed it: bring it in the same file"
        for each in (*self.between, *(() if self.signer is None else (self.signer,))):
            if each.not_after < now:
                return f"is signed by {each.name}, which has ended on {each.not_after:%Y-%m-%d}"
        return None

    def _foreign(self, which: str, otherwise: str) -> str:
        names = ", ".join(authority.name for authority in self.trusted)
        told = f"is signed by no authority {which} ({names})"
        top = self.missing or (self.between[-1].name if self.between else "nobody")
        if top in {authority.name for authority in self.trusted}:
            return f"{told}, but by another {top}, with another key: {otherwise}"
        if self.missing is None:
            return f"{told}, but by {top}: {otherwise}"
        return (
            f"{told}: the certificate of {self.missing}, which signed it, is missing; if that is an intermediate "
            f"authority, bring it in the same file; {otherwise}"
        )

    def in_words(self, now: datetime) -> Iterator[str]:
        """Each of them, until when it is good, and which one signed."""
        for authority in self.trusted:
            signed = ", which signed its certificate" if authority == self.signer else ""
            yield f"trusts {authority.name} until {_good_until(authority, now)}{signed}"
        for authority in self.between:
            yield f"is signed by {authority.name}, good until {_good_until(authority, now)}"


def _named(certificate: x509.Certificate) -> Certificate:
    """An authority, which need not have a common name as a unit must."""
    return replace(Certificate.of(certificate), name=name_of(certificate.subject))


def _end(certificate: Certificate) -> datetime:
    return certificate.not_after


def _good_until(authority: Certificate, now: datetime) -> str:
    days = (authority.not_after - now) // timedelta(days=1)
    ends = "" if days >= SOON.days else f", in {days} days" if days >= 0 else ", which is over"
    return f"{authority.not_after:%Y-%m-%d}{ends}"
