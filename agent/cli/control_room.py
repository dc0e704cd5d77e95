"""`safepoint control-room`: the other end of the line, for a person at a terminal."""

from __future__ import annotations

import asyncio
import getpass
import importlib.util
import logging
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers
    from agent.control_room.lines import Lines
    from agent.control_room.room import ControlRoom
    from agent.control_room.screen import Screen

DESCRIPTION = """\
Watch units and answer their alerts. Every alert that comes is acknowledged as received by this console, so run it
only where somebody looks. Keys: j/k or arrows select, a acknowledges, g closes as genuine, f as false (asks why),
t as a test, : gives a unit a command, q quits. Without a terminal it prints a line for each thing that happens and
takes commands as lines, until its input ends. A command is UNIT COMMAND name=value ... [-- why], such as
`hk-001 light forS=60 -- somebody fell`.
"""
LONGEST_REFERENCE = 64
"""Characters of an operator's reference, by the schema of acknowledgements."""
_CONSOLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_ORG = re.compile(r"\+|[a-z0-9][a-z0-9-]{0,62}")
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "control-room", help="watch units and answer their alerts in a terminal", description=DESCRIPTION
    )
    parser.add_argument("--broker", metavar="URL", required=True, help="mqtts://host:8883")
    parser.add_argument("--ca", metavar="FILE", type=Path, help="the authority that signed the broker's certificate")
    parser.add_argument("--cert", metavar="FILE", type=Path, help="this console's certificate")
    parser.add_argument("--key", metavar="FILE", type=Path, help="the certificate's private key")
    parser.add_argument("--org", default="+", help="watch the units of this organisation only")
    parser.add_argument("--operator", metavar="REF", default=None, help="who sits here (default: the login name)")
    parser.add_argument(
        "--name",
        default=None,
        help="this console's name on a bench without TLS (default: after the machine); else its certificate's is it",
    )
    parser.add_argument("--journal", metavar="FILE", type=Path, help="append every message to this file (JSON lines)")
    parser.add_argument("--pictures", metavar="FOLDER", type=Path, help="keep the stills that come with alerts here")
    parser.add_argument("--insecure-lab", action="store_true", help="allow mqtt:// without TLS, on a bench")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Watch and answer until the operator quits.

    Raises:
        UsageError: it cannot be done as given.
    """
    os.umask(0o077)  # journal and pictures tell of people in danger: nobody else on this machine reads them
    asyncio.run(_run(args))
    return 0


async def _run(args: argparse.Namespace) -> None:
    room = _open_room(args)
    face = _face(room)
    loop = asyncio.get_running_loop()
    for number in _ENDS:
        loop.add_signal_handler(number, face.stop)
    async with asyncio.TaskGroup() as work:
        work.create_task(room.run(), name="control-room")
        await face.run()
        await room.close()


def _open_room(args: argparse.Namespace) -> ControlRoom:
    from agent.clock import SystemClock  # noqa: PLC0415 - heavy, and only this command needs it
    from agent.control_room.room import ControlRoom  # noqa: PLC0415
    from agent.uplink.endpoint import Endpoint  # noqa: PLC0415
    from agent.uplink.tls import EndpointInvalid  # noqa: PLC0415

    operator = args.operator if args.operator is not None else getpass.getuser()[:LONGEST_REFERENCE]
    if not 1 <= len(operator) <= LONGEST_REFERENCE:
        msg = f"--operator must have 1 to {LONGEST_REFERENCE} characters"
        raise UsageError(msg)
    if not _ORG.fullmatch(args.org):
        msg = f"--org {args.org!r} is no organisation: lower case letters, digits and -"
        raise UsageError(msg)
    if args.broker.startswith("mqtts:") and not (args.cert and args.key):
        msg = "mqtts:// needs this console's own certificate: give --cert and --key (and --ca)"
        raise UsageError(msg)
    if args.broker.startswith("mqtt:") and not args.insecure_lab:
        msg = f"{args.broker} is without TLS: use mqtts://, or add --insecure-lab on a bench"
        raise UsageError(msg)
    try:
        endpoint = Endpoint.build(
            args.broker, ca_file=args.ca, cert_file=args.cert, key_file=args.key, insecure_lab=args.insecure_lab
        )
    except EndpointInvalid as error:
        raise UsageError(str(error)) from error
    name = _own_name(args.name, None if endpoint.tls is None else args.cert)
    try:
        return ControlRoom(
            endpoint,
            name,
            SystemClock(),
            org=args.org,
            operator_ref=operator,
            journal=args.journal,
            pictures=args.pictures,
        )
    except OSError as error:
        msg = f"the journal {args.journal} cannot be written: {error.strerror}"
        raise UsageError(msg) from error


def _own_name(said: str | None, cert: Path | None) -> str:
    """This console's name: its certificate's, which is the only one that broker and units take commands of.

    Args:
        said: With `--name`.
        cert: Its certificate; None without TLS.

    Raises:
        UsageError: it is no name, or two.
    """
    from agent.uplink.certificate import Certificate, CertificateUnreadable  # noqa: PLC0415 - heavy

    if cert is None:
        what, name = "--name", said if said is not None else _default_name()
    else:
        try:
            what, name = f"the name in {cert},", Certificate.read(cert).name
        except CertificateUnreadable as error:
            raise UsageError(str(error)) from error
    if not _CONSOLE.fullmatch(name):
        msg = f"{what} {name!r} must be letters, digits, - and _, at most 63, and begin with a letter or digit"
        raise UsageError(msg)
    if said not in {None, name}:
        msg = f"--name {said} is not the name in {cert}, {name}, and units obey no other one: leave --name out"
        raise UsageError(msg)
    return name


def _default_name() -> str:
    return f"console-{re.sub(r'[^A-Za-z0-9_-]', '-', socket.gethostname())}"[:63]


def _face(room: ControlRoom) -> Screen | Lines:
    """The screen for a terminal, lines for everything else."""
    import structlog  # noqa: PLC0415

    from agent import journal  # noqa: PLC0415
    from agent.clock import SystemClock  # noqa: PLC0415

    journal.set_up()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from agent.control_room.lines import Lines  # noqa: PLC0415

        return Lines(room, SystemClock())
    if importlib.util.find_spec("rich") is None:
        msg = (
            "the control room's screen needs rich: install safepoint-agent[console], or pipe the output for plain lines"
        )
        raise UsageError(msg)
    from rich.console import Console  # noqa: PLC0415

    from agent.control_room.screen import Screen  # noqa: PLC0415

    if sys.stderr.isatty():
        # The log would write across the screen, which shows the same itself: no broker, refused messages.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return Screen(room, SystemClock(), Console(highlight=False, markup=False))
