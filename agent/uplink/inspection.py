"""What a look at the files of this end shows, and what is to be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.uplink.authorities import SOON, Authorities
from agent.uplink.certificate import Certificate, CertificateUnreadable
from agent.uplink.key_file import is_exposed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from agent.uplink.slots import Identity, Slots
    from agent.uplink.tls import Look, Tls


@dataclass(frozen=True)
class Seen:
    """What a look at the disk showed."""

    look: Look
    candidate: Identity | None
    """A new certificate that waits to be tried."""
    exposed: bool
    """Others can read the key in use."""
    authority: Certificate | None
    """Whose end is the end of every connection; None: the machine's authorities, or it cannot be read."""

    @classmethod
    def now(cls, tls: Tls, slots: Slots) -> Seen:
        """What there is to see now. Blocking: belongs into a thread.

        Raises:
            StillLooking: another thread is at it, or hangs there.
        """
        look = tls.look()
        exposed, authority = _exposed(look.active.key_file), _authority_of(look.active)
        return cls(look, slots.candidate(), exposed, authority)


def days_left(certificate: Certificate, now: datetime) -> int:
    """Whole days until a certificate ends; negative when it has ended."""
    return (certificate.not_after - now) // timedelta(days=1)


def unusable(look: Look, accepted_as: str | None) -> str | None:
    """The active identity cannot be read; what was accepted before may still be used."""
    why = look.unusable.get(look.active.name)
    if why is None:
        return None
    rest = "Nothing can be sent; calls wait in the outbox."
    if accepted_as is not None:
        rest = "What was read before is still used."
    return f"The certificate in use cannot be read: {why}. {rest} It is read again once it is there."


def ends_soon(certificate: Certificate, now: datetime) -> str | None:
    """The certificate in use ends soon."""
    days = days_left(certificate, now)
    if not 0 <= days < SOON.days:
        return None
    return f"The certificate of this unit ends on {certificate.not_after:%Y-%m-%d}, in {days} days. Renew it."


def has_ended(certificate: Certificate, now: datetime) -> str | None:
    """The certificate in use has ended."""
    if days_left(certificate, now) >= 0:
        return None
    end = f"{certificate.not_after:%Y-%m-%d}"
    return f"The certificate of this unit has ended on {end}: a broker need not accept it. Renew it."


def authority_ends(authority: Certificate, now: datetime) -> str | None:
    """The authority on which the unit depends ends soon, or has."""
    days, end = days_left(authority, now), f"{authority.not_after:%Y-%m-%d}"
    if days >= SOON.days:
        return None
    when = f"ends on {end}, in {days} days" if days >= 0 else f"has ended on {end}"
    return (
        f"The authority {authority.name} {when}: no connection is good after that. "
        "Have the unit's certificate signed by the one that follows it."
    )


def _exposed(key_file: Path) -> bool:
    """Whether others can read a key; one that is not there is told otherwise."""
    try:
        return is_exposed(key_file, key_file.stat().st_mode)
    except OSError:
        return False


def _authority_of(identity: Identity) -> Certificate | None:
    """On which authority an identity depends; what cannot be read is told by whoever loads it."""
    if identity.ca_file is None:
        return None
    try:
        return Authorities.of(identity.ca_file.read_bytes(), identity.cert_file.read_bytes()).needed
    except (OSError, CertificateUnreadable):
        return None
