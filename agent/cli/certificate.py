"""`safepoint certificate ...`: renew the certificate of a unit, without a moment in which it has none."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner, read_named
from agent.cli.unit_file import add_unit_file
from agent.config.load import load_config

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers
    from agent.config.settings import Config
    from agent.enrolment import Token
    from agent.uplink.slots import Identity, Slots

DESCRIPTION = """\
Ask for the certificate of a unit, its first one and each later one. `request` makes a new key, which never leaves the
unit, and prints the request for the authority; `install` takes the authority's answer: PEM, DER or .p7b, with all
intermediate authorities, in any order. The running unit tries a later one at its broker and takes it into use when the
broker accepts it; until then, and if it does not, the one before stays in use. `status` tells how it stands. With
--media it is about the key that signs footage.
A new authority takes the place of the old one in three steps, which provisioning/broker/README.md describes: `install`
takes the first certificate of the new authority with --ca and a file of both, the last with --ca and the new one alone.
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "certificate", help="request, renew and install the unit's certificates", description=DESCRIPTION
    )
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    request = verbs.add_parser("request", help="print a request for a certificate of a new key")
    request.add_argument("--token", action="store_true", help="ask for the one-time token of the pilot's authority")
    request.add_argument("--token-file", metavar="FILE", type=Path, help="read that token from a file instead")
    request.add_argument("--key", metavar="FILE", type=Path, help="a key that a TPM keeps, instead of a new one")
    request.set_defaults(func=_request)
    install = verbs.add_parser("install", help="put a new certificate beside the one in use")
    install.add_argument("cert", metavar="FILE", type=Path, help="the certificate, and those above it in any order")
    install.add_argument("--key", metavar="FILE", type=Path, help="its key, if it was not made by `request`")
    install.add_argument(
        "--ca", metavar="FILE", type=Path, help="the authorities to trust from then on, if they change"
    )
    install.add_argument(
        "--signed-by", metavar="FILE", type=Path, help="the root that signed it, if the broker's own is below another"
    )
    install.set_defaults(func=_install)
    status = verbs.add_parser("status", help="tell which certificate is in use, until when, and which one waits")
    status.set_defaults(func=_status)
    for verb in (request, install):
        verb.add_argument("--media", action="store_true", help="the key and certificate that sign footage")
    for verb in (request, install, status):
        add_unit_file(verb)
        verb.allow_abbrev = False


def _request(args: argparse.Namespace) -> int:
    """Print a request.

    Raises:
        UsageError: it cannot be made.
    """
    from agent.enrolment import Purpose  # noqa: PLC0415 - heavy
    from agent.uplink.held_key import KeyNotHeld, request_for_held_key  # noqa: PLC0415
    from agent.uplink.key_birth import KeyUnusable, request_certificate  # noqa: PLC0415

    config = _config(args)
    token = _token(args)
    purpose = Purpose.MEDIA if args.media else Purpose.MQTT
    if args.key is not None and args.media:
        msg = "--key is not for --media: what signs footage has its key in a file of its own"
        raise UsageError(msg)
    try:
        if args.key is not None:
            request = request_for_held_key(args.key, config.unit.id, token)
        else:
            with as_owner(config):
                request = request_certificate(config.state_folder / "tls", config.unit.id, purpose=purpose, token=token)
    except (OSError, KeyUnusable, KeyNotHeld) as error:
        raise UsageError(str(error)) from error
    sys.stdout.write(request.decode("ascii"))
    return 0


def _token(args: argparse.Namespace) -> Token | None:
    """The one-time token: typed at the terminal or read from a file, and never an argument, which `ps` shows to all.

    Raises:
        UsageError: it cannot be read, or is mistyped.
    """
    from agent.enrolment import Token, TokenUnreadable  # noqa: PLC0415

    if args.token_file is not None:
        text = read_named("--token-file", args.token_file).decode("ascii", "replace")
    elif not args.token:
        return None
    elif sys.stdin.isatty():
        text = getpass.getpass("Token: ")
    else:
        msg = "there is no terminal to ask for the token: give --token-file"
        raise UsageError(msg)
    try:
        return Token.read(text)
    except TokenUnreadable as error:
        raise UsageError(str(error)) from error


def _install(args: argparse.Namespace) -> int:
    """Put a new certificate beside the one in use, or the first one where the configuration names it.

    Raises:
        UsageError: it cannot be the unit's.
    """
    config = _config(args)
    if args.media:
        from agent.cli.media_certificate import install_media  # noqa: PLC0415 - heavy

        return install_media(args, config)
    from agent.cli.new_certificate import install  # noqa: PLC0415 - heavy

    return install(args, config, _slots(config))


def _status(args: argparse.Namespace) -> int:
    """Tell how it stands.

    Raises:
        UsageError: the unit has no TLS, or its state folder cannot be read.
    """
    config = _config(args)
    slots = _slots(config)
    try:
        with as_owner(config):
            _tell(slots)
    except OSError as error:
        msg = f"{config.state_folder / 'tls'} cannot be read: {error.strerror or error}"
        raise UsageError(msg) from error
    return 0


def _tell(slots: Slots) -> None:
    from agent.uplink.certificate import Certificate, CertificateUnreadable  # noqa: PLC0415

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
    _tell_authorities("in use", active)
    if candidate is not None and candidate.ca_file != active.ca_file:
        _tell_authorities("waits to be tried", candidate)


def _tell_authorities(what: str, identity: Identity) -> None:
    """Whom the unit trusts with an identity, and until when that is worth anything."""
    from agent.uplink.authorities import Authorities  # noqa: PLC0415
    from agent.uplink.certificate import CertificateUnreadable  # noqa: PLC0415

    if identity.ca_file is None:
        sys.stdout.write(f"{what}: trusts the authorities of this machine\n")
        return
    try:
        found = Authorities.of(identity.ca_file.read_bytes(), identity.cert_file.read_bytes())
    except (OSError, CertificateUnreadable) as error:
        sys.stdout.write(f"{what}: whom it trusts cannot be told: {error}\n")
        return
    sys.stdout.writelines(f"{what}: {words}\n" for words in found.in_words(datetime.now(UTC)))


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
