"""The certificate that the unit shows."""

from __future__ import annotations

import os
import ssl
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.doctor.facts import OwnCertificate
from agent.uplink.certificate import Certificate, CertificateUnreadable
from agent.uplink.key_file import is_exposed
from agent.uplink.slots import GIVEN, Identity, Slots
from agent.uplink.tls import EndpointInvalid, context_of

if TYPE_CHECKING:
    from agent.config.settings import Config
    from agent.doctor.look.case import Case

HELD: Final = b"-----BEGIN TSS2 PRIVATE KEY-----"
"""How a key file of tpm2-openssl begins (`agent.uplink.held_key`)."""
CREDENTIALS: Final = Path("/run/credentials")
"""Of systemd's LoadCredential=."""


def look(case: Case) -> OwnCertificate | None:
    """Read the one in use, and try whether OpenSSL takes it with its key and its authority."""
    shown = None if case.config is None else identity(case.config)
    if shown is None:
        return None
    own = OwnCertificate(shown.cert_file, shown.key_file)
    try:
        certificate = Certificate.read(shown.cert_file)
        if can_use_key(shown):
            context_of(shown, ssl.TLSVersion.TLSv1_3)
    except (CertificateUnreadable, EndpointInvalid) as invalid:
        return replace(own, trouble=str(invalid))
    return replace(
        own,
        name=certificate.name,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        exposed=_exposed(shown.key_file),
    )


def _exposed(key_file: Path) -> bool:
    """Whether others can read it; what systemd shows to the service alone lies in a closed folder."""
    return not key_file.is_relative_to(CREDENTIALS) and is_exposed(key_file, key_file.stat().st_mode)


def can_use_key(shown: Identity) -> bool:
    """Whether we can try the key: one that a TPM holds is found with the service's OPENSSL_CONF, which may not be ours.

    Raises:
        OSError: the key file cannot be read.
    """
    if "OPENSSL_CONF" in os.environ or not shown.key_file.exists():
        return True
    with shown.key_file.open("rb") as file:
        return HELD not in file.read(len(HELD) + 64)


def identity(config: Config) -> Identity | None:
    """With which files the unit shows who it is; None on a bench without TLS."""
    uplink = config.uplink
    if uplink.cert_file is None or uplink.key_file is None:
        return None
    given = Identity(GIVEN, uplink.ca_file, uplink.cert_file, uplink.key_file)
    return Slots(config.state_folder / "tls", given).active()
