"""What `authority` can be told to do."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pilotca.errors import Refused
from pilotca.kinds import CLIENTS, Branch, Role
from pilotca.office import REASONS

if TYPE_CHECKING:
    _Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names no public type


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Refuse them.

        Raises:
            Refused: always.
        """
        sentence = f"{message} (see {self.prog} --help)"
        raise Refused(sentence)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top: argparse.ArgumentParser = Parser(
        prog="authority", description="The certificate authority of a pilot.", allow_abbrev=False
    )
    verbs = top.add_subparsers(title="what to do", metavar="VERB", required=True)
    root = verbs.add_parser("root", help="the root, on a machine without a network").add_subparsers(
        title="what to do", metavar="VERB", required=True
    )
    roots, offices = "the root's folder, on a medium that lies in a safe", "the office's folder"
    verb = _add(root, "new", "make the root, once", roots)
    verb.add_argument("--org", required=True, help="the organisation, as in the units' `unit.org`")
    verb = _add(root, "sign", "sign an intermediate of the office", roots)
    verb.add_argument("request", metavar="FILE", type=Path, help="what the office asks for")
    verb.add_argument("--as", dest="branch", type=Branch, choices=[*Branch], required=True, help="what for")
    verb.add_argument("--fingerprint", required=True, help="of its key, as `authority open` showed it")
    verb.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the certificate goes")
    verb = _add(root, "revoke", "take an intermediate back, or (without --serial) sign the list anew", roots)
    verb.add_argument("--serial", type=_hex, help="its serial number, as `openssl x509 -serial` shows it")
    verb.add_argument("--reason", choices=[*REASONS], default="unspecified", help="why (%(default)s)")

    verb = _add(verbs, "open", "open the office: keys of its two intermediates, and requests for the root", offices)
    verb.add_argument("--org", required=True, help="the organisation, as in the units' `unit.org`")
    verb = _add(verbs, "adopt", "take what the root signed, and begin to work", offices)
    for name in ("root", *Branch):
        verb.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help="its certificate")
    verb.add_argument("--fingerprint", required=True, help="of the root's key, as `authority root new` showed it")
    verb = _add(verbs, "token", "make a one-time token for a unit; it is shown once", offices)
    verb.add_argument("unit", metavar="UNIT", help="the unit's `unit.id`")
    verb.add_argument("--days", type=int, default=14, help="how long it can be used (14; 30 at most)")
    verb.add_argument("--for", dest="what_for", default="", help="what for, for the register")
    verb = _add(verbs, "sign", "sign what a unit asks for with its token", offices)
    verb.add_argument("request", metavar="FILE", type=Path, help="its request")
    verb.add_argument("--for", dest="what_for", default="", help="what for, for the register")
    verb = _add(verbs, "client", "sign for a console, receiver, video system or peer broker", offices)
    verb.add_argument("role", type=Role, choices=CLIENTS, help="what it is")
    verb.add_argument("name", help="the name in its request, as the broker is to know it")
    verb.add_argument("request", metavar="FILE", type=Path, help="its request, brought here by hand")
    verb.add_argument("--for", dest="what_for", default="", help="what for, for the register")
    verb = _add(verbs, "broker", "sign for a broker", offices)
    verb.add_argument("request", metavar="FILE", type=Path, help="its request, brought here by hand")
    verb.add_argument("--host", action="append", required=True, help="a name or address that it is called by")
    verb.add_argument("--for", dest="what_for", default="", help="what for, for the register")
    verb = _add(verbs, "revoke", "take back all certificates of a name, or one", offices)
    verb.add_argument("who", metavar="NAME|SERIAL", help="whose, or which")
    verb.add_argument("--reason", choices=[*REASONS], required=True, help="why")
    verb.add_argument("--since", type=_moment, help="from when on its key was in wrong hands (2026-11-29T14:00Z)")
    verb.add_argument("--for", dest="what_for", default="", help="what for, for the register")
    _add(verbs, "crl", "sign the revocation lists anew", offices)
    _add(verbs, "list", "tell who has which certificate, and which tokens are out", offices)
    verb = _add(verbs, "show", "print a certificate", offices)
    verb.add_argument("serial", type=_hex, help="its serial number")
    return top


def _add(group: _Verbs, name: str, text: str, folder: str) -> argparse.ArgumentParser:
    """One verb, with what all have."""
    verb = group.add_parser(name, help=text, description=text, allow_abbrev=False)
    verb.set_defaults(verb=verb.prog.removeprefix("authority "))
    verb.add_argument("--folder", type=Path, required=True, metavar="DIR", help=folder)
    verb.add_argument("--passphrase-fd", type=int, metavar="N", help="read the passphrase there instead of asking")
    return verb


def _hex(text: str) -> int:
    return int(text, 16)


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        msg = "without a zone"
        raise ValueError(msg)
    return at.astimezone(UTC).replace(microsecond=0)
