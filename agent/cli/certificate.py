"""`safepoint certificate ...`: renew the certificate of a unit, without a moment in which it has none."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.config.load import load_config

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers
    from agent.config.settings import Config
    from agent.uplink.slots import Slots

DESCRIPTION = """\
Renew the certificate of a unit. `request` makes a new key, which never leaves the unit, and prints the request for the
authority; `install` takes the authority's answer. The running unit then tries it at its broker and takes it into use
when the broker accepts it; until then, and if it does not, the one before stays in use. `status` tells how it stands.
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("certificate", help="renew the unit's certificate", description=DESCRIPTION)
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    request = verbs.add_parser("request", help="print a request for a certificate of a new key")
    request.set_defaults(func=_request)
    install = verbs.add_parser("install", help="put a new certificate beside the one in use")
    install.add_argument("cert", metavar="FILE", type=Path, help="the certificate, and those above it (PEM)")
    install.add_argument("--key", metavar="FILE", type=Path, help="its key, if it was not made by `request`")
    install.add_argument("--ca", metavar="FILE", type=Path, help="the authority to trust from then on, if it changes")
    install.set_defaults(func=_install)
    status = verbs.add_parser("status", help="tell which certificate is in use, until when, and which one waits")
    status.set_defaults(func=_status)
    for verb in (request, install, status):
        verb.add_argument("--config", metavar="FILE", type=Path, required=True, help="the unit's configuration")
        verb.allow_abbrev = False


def _request(args: argparse.Namespace) -> int:
    """Print a request.

    Raises:
        UsageError: it cannot be made.
    """
    from agent.uplink.key_birth import KeyUnusable, request_certificate  # noqa: PLC0415 - heavy

    config = _config(args)
    folder = config.state_folder / "tls"
    try:
        request = request_certificate(folder, config.unit.id)
        _give_to_owner(config)
    except (OSError, KeyUnusable) as error:
        raise UsageError(str(error)) from error
    sys.stdout.write(request.decode("ascii"))
    return 0


def _install(args: argparse.Namespace) -> int:
    """Put a new certificate beside the one in use.

    Raises:
        UsageError: it cannot be the unit's.
    """
    import ssl  # noqa: PLC0415

    from agent.uplink.certificate import Certificate, CertificateUnreadable  # noqa: PLC0415
    from agent.uplink.key_birth import KEY_NAME  # noqa: PLC0415
    from agent.uplink.slots import Identity  # noqa: PLC0415
    from agent.uplink.tls import EndpointInvalid, context_of  # noqa: PLC0415

    config = _config(args)
    requested = config.state_folder / "tls" / KEY_NAME
    key: Path = args.key or requested
    if args.key is None and not requested.exists():
        msg = "no certificate was requested here: run `safepoint certificate request`, or give --key"
        raise UsageError(msg)
    try:
        certificate = Certificate.read(args.cert)
        context_of(Identity("new", args.ca or _slots(config).active().ca_file, args.cert, key), ssl.TLSVersion.TLSv1_3)
    except (CertificateUnreadable, EndpointInvalid) as error:
        raise UsageError(str(error)) from error
    if certificate.name != config.unit.id:
        msg = f"{args.cert} is the certificate of {certificate.name or 'nobody'}, not of {config.unit.id}"
        raise UsageError(msg)
    if certificate.not_after < datetime.now(UTC):
        msg = f"{args.cert} has ended on {certificate.not_after:%Y-%m-%d}"
        raise UsageError(msg)
    try:
        ca = None if args.ca is None else args.ca.read_bytes()
        slot = _slots(config).put(args.cert.read_bytes(), key.read_bytes(), ca)
        _give_to_owner(config)
        requested.unlink(missing_ok=True)
    except OSError as error:
        msg = f"the certificate cannot be put into {config.state_folder / 'tls'}: {error.strerror or error}"
        raise UsageError(msg) from error
    sys.stdout.write(
        f"It waits in slot {slot.name}, valid until {certificate.not_after:%Y-%m-%d}. The running unit tries it within "
        "half a minute and takes it into use when its broker accepts it.\n"
    )
    return 0


def _status(args: argparse.Namespace) -> int:
    """Tell how it stands.

    Raises:
        UsageError: the unit has no TLS.
    """
    from agent.uplink.certificate import Certificate, CertificateUnreadable  # noqa: PLC0415

    slots = _slots(_config(args))
    active, candidate = slots.active(), slots.candidate()
    rows = [("waits to be tried", candidate)] if candidate is not None else []
    rows += [("in use" if each == active else "kept", each) for each in slots.in_order()]
    for what, identity in rows:
        try:
            certificate = Certificate.read(identity.cert_file)
        except CertificateUnreadable as unreadable:
            sys.stdout.write(f"{identity.name:<6} {what}: {unreadable}\n")
        else:
            sys.stdout.write(
                f"{identity.name:<6} {what}: {certificate.name}, valid until {certificate.not_after:%Y-%m-%d}\n"
            )
    return 0


def _config(args: argparse.Namespace) -> Config:
    """The unit's configuration, whose certificates may be what is wrong."""
    return load_config(args.config, judge_files=False).config


def _slots(config: Config) -> Slots:
    """The unit's identities.

    Raises:
        UsageError: it has no TLS.
    """
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.uplink.credentials import Credentials  # noqa: PLC0415

    credentials = Credentials.of(config, SystemClock())
    if credentials is None:
        msg = "this unit has no TLS: uplink.cert_file and uplink.key_file name its first certificate"
        raise UsageError(msg)
    return credentials.slots


def _give_to_owner(config: Config) -> None:
    """What root puts there belongs to whoever the unit runs as: the owner of its state folder."""
    if os.geteuid() != 0:
        return
    owner = config.state_folder.stat()
    folder = config.state_folder / "tls"
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
