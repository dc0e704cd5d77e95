"""`authority ...`: the certificate authority of a pilot (README.md)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from agent.durable import put_whole
from pilotca.command_line import parser
from pilotca.errors import Refused
from pilotca.files import locked
from pilotca.fingerprint import fingerprint
from pilotca.kinds import Branch, Role, check_org
from pilotca.office import REASONS, Office
from pilotca.passphrase import passphrase
from pilotca.register import now
from pilotca.root import CERT, Root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

EXIT_BAD_INPUT = 2


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _root_new(args: argparse.Namespace) -> None:
    check_org(args.org)
    with locked(_made(args.folder)):
        root = Root(args.folder, now())
        cert = root.create(args.org, passphrase(args.passphrase_fd, "the root's key", new=True))
    _say(
        f"{args.folder / CERT} is valid until {cert.not_valid_after_utc:%Y-%m-%d}. Copy this folder to a second medium."
    )
    _say(f"Read out at the office: {fingerprint(cert.public_key())}")


def _root_sign(args: argparse.Namespace) -> None:
    with locked(args.folder):
        root = Root(args.folder, now())
        signed = root.sign(
            args.request, args.branch, args.fingerprint, passphrase(args.passphrase_fd, "the root's key")
        )
    put_whole(args.out, signed, 0o644)
    _say(f"{args.out} goes back to the office, with {args.folder / CERT}.")


def _root_revoke(args: argparse.Namespace) -> None:
    with locked(args.folder):
        root = Root(args.folder, now())
        path = root.revoke(args.serial, REASONS[args.reason], passphrase(args.passphrase_fd, "the root's key"))
    _say(f"{path} is written.")


def _open(args: argparse.Namespace) -> None:
    check_org(args.org)
    with locked(_made(args.folder)):
        made = Office(args.folder, now()).open(args.org, passphrase(args.passphrase_fd, "the office's keys", new=True))
    for branch, (path, key) in made.items():
        _say(f"{path} goes to the root, as {branch}. Read out there: {fingerprint(key)}")


def _adopt(args: argparse.Namespace) -> None:
    files = {branch: getattr(args, branch) for branch in Branch}
    with locked(args.folder):
        office = Office(args.folder, now())
        office.adopt(args.root, args.fingerprint, files, passphrase(args.passphrase_fd, "the office's keys"))
    _say(f"The office works. {args.folder / 'for-broker'} is what the broker needs.")


def _token(args: argparse.Namespace) -> None:
    with locked(args.folder):
        token, until = Office(args.folder, now()).token(args.unit, args.days, args.what_for)
    _say(f"{token}\nFor {args.unit}, until {until:%Y-%m-%d %H:%M} UTC. It is shown this once and kept nowhere.")


def _sign(args: argparse.Namespace) -> None:
    with locked(args.folder):
        office = Office(args.folder, now())
        issued, path = office.sign(args.request, passphrase(args.passphrase_fd, "the office's keys"), args.what_for)
    media = " --media" if issued.role is Role.MEDIA else ""
    _say(f"{path} is valid until {issued.until:%Y-%m-%d}. On {issued.name}: safepoint certificate install{media} FILE")


def _client(args: argparse.Namespace) -> None:
    with locked(args.folder):
        office = Office(args.folder, now())
        opened = passphrase(args.passphrase_fd, "the office's keys")
        issued, path = office.client(args.role, args.name, args.request, opened, args.what_for)
    _say(f"{path} is valid until {issued.until:%Y-%m-%d}. Give the broker its new names.args, and render it again.")


def _broker(args: argparse.Namespace) -> None:
    with locked(args.folder):
        office = Office(args.folder, now())
        opened = passphrase(args.passphrase_fd, "the office's keys")
        issued, path = office.broker(args.host, args.request, opened, args.what_for)
    _say(f"{path} is valid until {issued.until:%Y-%m-%d}.")


def _revoke(args: argparse.Namespace) -> None:
    with locked(args.folder):
        office = Office(args.folder, now())
        opened = passphrase(args.passphrase_fd, "the office's keys")
        gone, had_slip = office.revoke(args.who, REASONS[args.reason], args.since, opened, args.what_for)
    for each in gone:
        _say(f"{each.serial:x} of {each.name} ({each.role}) is revoked.")
    if had_slip:
        _say(f"The open token of {args.who} is withdrawn: nobody gets a certificate with that slip.")
    if gone:
        _say(f"Now take {args.folder / 'for-broker'} to the broker, render it again, and restart it.")


def _crl(args: argparse.Namespace) -> None:
    with locked(args.folder):
        Office(args.folder, now()).renew_lists(passphrase(args.passphrase_fd, "the office's keys"))
    _say("The revocation lists are signed anew.")


def _list(args: argparse.Namespace) -> None:
    at = now()
    with locked(args.folder):
        state = Office(args.folder, at).state
    for each in sorted(state.issued.values(), key=lambda each: (each.name, each.until)):
        how = "valid" if each.counts(at) else "ended" if each.revocation is None else "REVOKED"
        days = f", {(each.until - at).days} days" if how == "valid" else ""
        _say(f"{each.name:<24} {each.role:<9} {how:<8} until {each.until:%Y-%m-%d}{days:<12} {each.serial:x}")
    for token in state.tokens:
        if not token.replaced and at <= token.until:
            used = ", ".join(token.used) or "nothing yet"
            _say(f"{token.unit:<24} token     open     until {token.until:%Y-%m-%d}  used for {used}")


def _show(args: argparse.Namespace) -> None:
    with locked(args.folder):
        issued = Office(args.folder, now()).state.issued.get(args.serial)
    if issued is None:
        msg = f"no certificate of this office has the serial number {args.serial:x}"
        raise Refused(msg)
    sys.stdout.write(issued.pem)


_VERBS = {
    "root new": _root_new,
    "root sign": _root_sign,
    "root revoke": _root_revoke,
    "open": _open,
    "adopt": _adopt,
    "token": _token,
    "sign": _sign,
    "client": _client,
    "broker": _broker,
    "revoke": _revoke,
    "crl": _crl,
    "list": _list,
    "show": _show,
}


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    os.umask(0o077)
    try:
        args = parser().parse_args(argv)
        _VERBS[args.verb](args)
        sys.stdout.flush()
    except Refused as refused:
        sys.stderr.write(f"authority: {refused}\n")
        return EXIT_BAD_INPUT
    except OSError as error:
        sys.stderr.write(f"authority: {error.filename or 'the disk'}: {error.strerror or error}\n")
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
