"""`safepoint certificate install --media`: take the certificate that says whose footage this is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner, check_ours, read_named, requested_key
from agent.media_identity import FILE_NAME, MediaIdentity, MediaIdentityUnusable
from agent.uplink.key_birth import MEDIA_KEY_NAME

if TYPE_CHECKING:
    import argparse

    from agent.config.settings import Config


def install_media(args: argparse.Namespace, config: Config) -> int:
    """Take the certificate that says whose footage this is.

    Raises:
        UsageError: it cannot be the unit's.
    """
    if args.ca is not None:
        msg = "--ca is not for --media: a unit trusts nobody's footage"
        raise UsageError(msg)
    folder = config.state_folder / "tls"
    cert, requested = read_named("FILE", args.cert), folder / MEDIA_KEY_NAME
    key = requested_key(config, requested) if args.key is None else read_named("--key", args.key)
    try:
        identity = MediaIdentity.of(key, cert)
    except MediaIdentityUnusable as error:
        msg = f"{args.cert} cannot sign footage: {error}"
        raise UsageError(msg) from error
    check_ours(args.cert, identity.name, identity.until, config)
    try:
        with as_owner(config):
            identity.put(folder / FILE_NAME)
            requested.unlink(missing_ok=True)
    except OSError as error:
        msg = f"the certificate cannot be put into {folder}: {error.strerror or error}"
        raise UsageError(msg) from error
    sys.stdout.write(f"Footage can be signed with it until {identity.until:%Y-%m-%d}.\n")
    return 0
