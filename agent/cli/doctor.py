"""`safepoint doctor`: what is wrong with this unit, in order of importance, each with its fix."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.unit_file import add_unit_file

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers

DESCRIPTION = """\
Examine this unit: configuration, service, ways to the control room, certificate, clock, hardware, rights, disks,
footage, voice models, software, supply, heat and logins. Tells what is wrong, the most important first, each with its
fix. Exit code 0: nothing is wrong; 1: something is; 2: it could not be examined.
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("doctor", help="tell what is wrong with this unit", description=DESCRIPTION)
    add_unit_file(parser)
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    parser.add_argument(
        "--bundle",
        metavar="FILE.tar.gz",
        type=Path,
        help="also pack findings, facts, configuration and log for somebody far away, without secrets or footage",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Examine it.

    Raises:
        UsageError: it cannot be examined, or the bundle not be written.
    """
    from agent.doctor import findings  # noqa: PLC0415 - keeps the other commands quick
    from agent.doctor.bundle import write_bundle  # noqa: PLC0415
    from agent.doctor.examination import examine  # noqa: PLC0415
    from agent.doctor.telling import machine, page  # noqa: PLC0415

    if args.bundle is not None and args.bundle.exists():
        msg = f"--bundle: {args.bundle} is there already: give another name"
        raise UsageError(msg)
    facts = examine(args.config)
    if os.geteuid() != 0 and facts.config is not None and not os.access(facts.config.state_folder, os.R_OK | os.X_OK):
        msg = "the unit's keys, log and outbox are for root alone: run sudo safepoint doctor"
        raise UsageError(msg)
    found = findings(facts)
    sys.stdout.write(machine(found) if args.json else page(facts, found))
    if args.bundle is not None:
        try:
            size_bytes = write_bundle(args.bundle, facts, found)
        except OSError as error:
            msg = f"--bundle: {args.bundle} cannot be written: {error.strerror or error}"
            raise UsageError(msg) from error
        sys.stderr.write(f"{args.bundle}: {size_bytes / 1000:.0f} kB to send, without secrets or footage\n")
    return 1 if found else 0
