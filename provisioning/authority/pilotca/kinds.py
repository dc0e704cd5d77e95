"""What certificates there are, how long each lives and why, and who must sign it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.enrolment import Purpose
from pilotca.errors import Refused

DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336): signed by a service, to be verified by people. No TLS library takes it for a
client, so the key that signs footage opens no connection, whatever its name."""
DAY: Final = timedelta(days=1)
YEAR: Final = timedelta(days=365.25)


class Branch(StrEnum):
    """The two intermediates. The usage in each one's certificate binds all below it."""

    UNITS = "units"
    """Whoever connects: units, consoles, brokers."""
    MEDIA = "media"
    """Whatever signs footage; its revocations are for courts, those of units for brokers."""


BRANCH_LIFE: Final = {
    # Two generations of units; until then it signs certificates that end before it does.
    Branch.UNITS: 10 * YEAR,
    # Longer than the media certificates that it signs in its first five years.
    Branch.MEDIA: 30 * YEAR,
}
BRANCH_USAGE: Final = {
    Branch.UNITS: (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
    Branch.MEDIA: (DOCUMENT_SIGNING,),
}
ROOT_LIFE: Final = 35 * YEAR
"""Longer than all that it signs."""


class Role(StrEnum):
    """What the owner of a certificate is."""

    UNIT = "unit"
    MEDIA = "media"
    CONSOLE = "console"
    RECEIVER = "receiver"
    VMS = "vms"
    PEER = "peer"
    BROKER = "broker"


CLIENTS: Final = (Role.CONSOLE, Role.RECEIVER, Role.VMS, Role.PEER)
"""As `provisioning/broker/render.py` has options for."""
ROLE_OF: Final = {Purpose.MQTT: Role.UNIT, Purpose.MEDIA: Role.MEDIA}


@dataclass(frozen=True)
class Kind:
    """How the certificates of a role are."""

    life: timedelta
    branch: Branch = Branch.UNITS
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH


_A_VISIT_A_YEAR: Final = 400 * DAY
"""A maintenance visit each year renews it, and a unit reports the last 30 days as a fault: 5 days are left over."""
KINDS: Final = {
    Role.UNIT: Kind(_A_VISIT_A_YEAR),
    # Footage is looked at for decades, and the reference validator of ONVIF judges it by today's date, not by the
    # recording's. The key is replaced with the unit or when it was stolen, not by date.
    Role.MEDIA: Kind(25 * YEAR, Branch.MEDIA, DOCUMENT_SIGNING),
    Role.CONSOLE: Kind(_A_VISIT_A_YEAR),
    Role.RECEIVER: Kind(_A_VISIT_A_YEAR),
    Role.VMS: Kind(_A_VISIT_A_YEAR),
    Role.PEER: Kind(_A_VISIT_A_YEAR),
    # When it ends no unit is heard any more, and nothing but `list` says so before. Units read no revocation list.
    Role.BROKER: Kind(800 * DAY, usage=ExtendedKeyUsageOID.SERVER_AUTH),
}
BACKDATE: Final = timedelta(hours=1)
"""The clocks of two machines differ."""

_UNIT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""As `unit.id` and `unit.org` must be."""
_LONGEST_ORG: Final = 50
_CLIENT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""As `provisioning/broker/render.py` takes them."""


def check_name(role: Role, name: str) -> str:
    """The name, when it can be one of this role.

    Raises:
        Refused: it cannot.
    """
    if role in {Role.UNIT, Role.MEDIA}:
        if not _UNIT_NAME.fullmatch(name):
            msg = f"{name[:80]!r} is no name of a unit: lower-case letters, digits and hyphens, at most 63"
            raise Refused(msg)
    elif role is not Role.BROKER and not _CLIENT_NAME.fullmatch(name):
        msg = f"{name[:80]!r} must be letters, digits, - and _, at most 63, and begin with a letter or digit"
        raise Refused(msg)
    return name


def check_org(org: str) -> None:
    """Refuse what can be no `unit.org`, or leaves no room for the branch in a common name of 64 characters.

    Raises:
        Refused: it is so.
    """
    if not _UNIT_NAME.fullmatch(org) or len(org) > _LONGEST_ORG:
        msg = f"--org {org[:80]!r} must be lower-case letters, digits and hyphens, at most {_LONGEST_ORG}"
        raise Refused(msg)
