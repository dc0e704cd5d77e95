#!/usr/bin/env python3
"""Write a broker's configuration: mosquitto.conf and its acl, from the files beside this one. Needs Python alone.

What a rendered line is for stands beside it in the template; README.md shows how it is called.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).resolve().parent
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
SAVED_AT_EACH_CHANGE: Final = 100
"""Units. Each save writes everything that the broker keeps, 2 kB a unit or more: at each change of thousands of units
it would do nothing else, and wear out its disk."""
SAVED_EACH_S: Final = 5
"""With more units than that. 5,000 units are 10 MB or so a save, 170 GB a day; each second it would be 860."""
LAST_PORT: Final = 65535
EACH_UNITS_CONNECTIONS: Final = 4
"""Its alerts, over two networks perhaps, its pictures, and one more: a trial of a new certificate, or a connection that
is dead and was not missed yet."""
FEW_CONNECTIONS: Final = 50
"""Consoles, workers and bridges, beside those of units."""


def main() -> int:
    """Write the files, and say what to do with them."""
    args = arguments()
    problem = next(complaints(args), None)
    if problem:
        sys.stderr.write(f"render: {problem}\n")
        return 2
    few = args.units <= SAVED_AT_EACH_CHANGE
    values = {
        "org": args.org,
        "folder": args.folder,
        "store": args.store,
        "user": args.user,
        "port": args.port,
        "address": args.address,
        "ca": args.ca,
        "cert": args.cert,
        "key": args.key,
        "log": args.log,
        "on_changes": _yes(few),
        "save_s": 1 if few else SAVED_EACH_S,
        "connections": EACH_UNITS_CONNECTIONS * args.units + FEW_CONNECTIONS,
    }
    configuration = _fill("mosquitto.conf.in", values)
    if args.crl:
        configuration += f"crlfile {args.crl}\n"
    if args.bridge:
        try:
            mark = bridge_mark(args.bridge_key)
        except OSError as error:
            sys.stderr.write(f"render: --bridge-key {args.bridge_key} cannot be read: {error.strerror}\n")
            return 2
        link = {
            "bridge_mark": mark,
            "name": args.bridge_name,
            "bridge": args.bridge,
            "bridge_cert": args.bridge_cert,
            "bridge_key": args.bridge_key,
        }
        configuration += _fill("bridge.conf.in", values | link)
    rights = _fill("acl.in", values)
    for templates, names in (
        (("console.in", "commander.in"), args.console),
        (("console.in",), args.receiver),
        (("vms.in",), args.vms),
        (("peer.in",), args.peer),
    ):
        rights += "".join(_fill(template, values | {"name": name}) for name in names for template in templates)
    os.umask(0o027)
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        for file, text in (("mosquitto.conf", configuration), ("acl", rights)):
            (args.folder / file).write_text(text, encoding="utf-8")
            (args.folder / file).chmod(0o640)
    except OSError as error:
        sys.stderr.write(f"render: {error.filename} cannot be written: {error.strerror}\n")
        return 2
    sys.stdout.write(f"{args.folder}/mosquitto.conf and {args.folder}/acl are written\n")
    return 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="render",
        description=(__doc__ or "").partition("\n")[0],
        epilog="@FILE stands for arguments in a file, one a line, such as the authority's for-broker/names.args.",
        fromfile_prefix_chars="@",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--org", required=True, help="the organisation whose units come here, as in their `unit.org`")
    add("--ca", type=Path, required=True, help="the authority that signed every client's certificate (PEM)")
    add("--cert", type=Path, required=True, help="the broker's own certificate (PEM)")
    add("--key", type=Path, required=True, help="its private key")
    add("--crl", type=Path, help="certificates that were revoked (PEM); replace it and send SIGHUP")
    add("--console", action="append", default=[], metavar="NAME", help="a console that commands units too")
    add("--receiver", action="append", default=[], metavar="NAME", help="a console or recorder that commands nobody")
    add("--vms", action="append", default=[], metavar="NAME", help="a video management system")
    add("--peer", action="append", default=[], metavar="NAME", help="another broker that calls this one")
    add("--units", type=int, default=100, help="how many units will come (100)")
    add("--port", type=int, default=8883, help="where it listens (8883)")
    add("--address", default="", help="on which of the machine's addresses (all)")
    add("--folder", type=Path, default=Path("/etc/mosquitto/safepoint"), help="where the files go (%(default)s)")
    add("--store", type=Path, default=Path("/var/lib/mosquitto"), help="where it keeps what it holds (%(default)s)")
    add("--log", default="syslog", help="syslog, stdout, or `file PATH` (syslog)")
    add("--user", default="mosquitto", help="whom it becomes when root starts it (%(default)s)")
    add("--bridge", metavar="HOST:PORT", help="another broker that this one shall be joined to")
    add("--bridge-name", metavar="NAME", help="what this broker is called there, as in --bridge-cert")
    add("--bridge-cert", type=Path, help="this broker's certificate as a client of the other")
    add("--bridge-key", type=Path, help="its private key")
    return parser.parse_args()


def complaints(args: argparse.Namespace) -> Iterator[str]:
    """What is wrong with the arguments, a sentence each."""
    people = [("--console", name) for name in args.console] + [("--receiver", name) for name in args.receiver]
    people += [("--vms", name) for name in args.vms] + [("--peer", name) for name in args.peer]
    for option, name in [("--org", args.org), *people]:
        if not NAME.fullmatch(name):
            yield f"{option} {name!r} must be letters, digits, - and _, at most 63, and begin with a letter or digit"
    if len({name for _, name in people}) < len(people):
        yield "a name is given twice among --console, --receiver, --vms and --peer: each needs a certificate of its own"
    if not args.console and not args.receiver:
        yield "without a --console or --receiver nobody may read the alerts: name at least one"
    if args.bridge and not (args.bridge_name and args.bridge_cert and args.bridge_key):
        yield "--bridge needs --bridge-name, --bridge-cert and --bridge-key"
    if args.units < 1 or not 0 < args.port <= LAST_PORT:
        yield f"--units must be at least 1, and --port 1 to {LAST_PORT}"
    for option in ("folder", "store", "ca", "cert", "key"):
        if not getattr(args, option).is_absolute():
            yield f"--{option} {getattr(args, option)} must be an absolute path: mosquitto starts elsewhere"


def bridge_mark(key: Path) -> str:
    """What makes the bridge's client ids unguessable, and the same after each rendering: its queue hangs on them.

    Raises:
        OSError: the key cannot be read.
    """
    return hashlib.sha256(b"safepoint bridge " + key.read_bytes()).hexdigest()[:32]


def _fill(template: str, values: dict[str, object]) -> str:
    return (HERE / template).read_text(encoding="utf-8").format(**values)


def _yes(value: bool) -> str:  # noqa: FBT001 - mosquitto's spelling of it
    return "true" if value else "false"


if __name__ == "__main__":
    sys.exit(main())
