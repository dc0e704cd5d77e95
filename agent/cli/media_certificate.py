"""`safepoint certificate install --media`: take the certificate that says whose footage this is."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from agent.cli.delivered import certificates_in
from agent.cli.errors import UsageError
from agent.cli.new_certificate import ROOT, SIGNED_BY
from agent.cli.owned import as_owner, check_ours, read_named, requested_key
from agent.media_identity import FILE_NAME, MediaIdentity, MediaIdentityUnusable
from agent.uplink.authorities import Authorities
from agent.uplink.certificate import Certificate
from agent.uplink.chain import Chain, name_of
from agent.uplink.key_birth import MEDIA_KEY_NAME

if TYPE_CHECKING:
    import argparse

    from agent.config.settings import Config

_OF_CLIENTS: Final = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def install_media(args: argparse.Namespace, config: Config) -> int:
    """Take the certificate that says whose footage this is.

    Raises:
        UsageError: it cannot be the unit's.
    """
    if args.ca is not None:
        msg = "--ca is not for --media: a unit trusts nobody's footage"
        raise UsageError(msg)
    folder = config.state_folder / "tls"
    requested = folder / MEDIA_KEY_NAME
    delivered = certificates_in("FILE", args.cert)
    root = [] if args.signed_by is None else certificates_in("--signed-by", args.signed_by)
    chain = Chain.of(delivered, root)
    name, until = Certificate.of(chain.own).name, chain.own.not_valid_after_utc
    check_ours(args.cert, name, until, config)
    key = requested_key(config, requested) if args.key is None else read_named("--key", args.key)
    try:
        identity = MediaIdentity.of(key, chain.shown)
    except MediaIdentityUnusable as error:
        msg = f"{args.cert} cannot sign footage: {error}"
        raise UsageError(msg) from error
    check_ours(args.cert, name, identity.until, config)
    why = _opens_connections(identity)
    if root:
        why = Authorities.above(chain, root).objection(None, datetime.now(UTC), otherwise=ROOT, which=SIGNED_BY) or why
    if why is not None:
        msg = f"{args.cert} {why}"
        raise UsageError(msg)
    try:
        with as_owner(config):
            identity.put(folder / FILE_NAME)
            requested.unlink(missing_ok=True)
    except OSError as error:
        msg = f"the certificate cannot be put into {folder}: {error.strerror or error}"
        raise UsageError(msg) from error
    above = name_of(identity.chain[-1].issuer)
    sys.stdout.write(
        f"Footage can be signed with it until {identity.until:%Y-%m-%d}. Who verifies it must have {above}.\n"
    )
    return 0


def _opens_connections(identity: MediaIdentity) -> str | None:
    """Why this certificate, which is good for decades, would open a connection in the unit's name."""
    for each in identity.chain:
        try:
            uses = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if not _OF_CLIENTS & {*uses}:
            return None  # OpenSSL holds each certificate on the way to what it may be used for
    return "would open connections to the broker: have it made for the usage documentSigning, and not for clientAuth"
