"""`safepoint demo`: a night on a simulated street, with the code a unit runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.config.load import profile_names
from agent.config.suggest import did_you_mean

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("demo", help="play a night on a simulated street and report what happened")
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="where the results go (demo)")
    parser.add_argument("--profile", default="safe-space", metavar="NAME", help="the kind of unit (safe-space)")
    parser.add_argument("--quick", action="store_true", help="the same story with shorter waits")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Play the demo; 0 only if every step of its story really happened.

    Raises:
        UsageError: it cannot be played here or like this.
    """
    try:
        from fakes import demo  # noqa: PLC0415 - units are installed without what the street needs
        from fakes.broker import BrokerMissing  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"the demo needs the simulated street ({error.name} is missing): install safepoint-agent[street]"
        raise UsageError(msg) from error
    if args.profile not in profile_names():
        msg = f"there is no profile {args.profile}; {did_you_mean(args.profile, profile_names())}"
        raise UsageError(msg)
    try:
        happened = asyncio.run(demo.play(args.out, args.profile, quick=args.quick))
    except (BrokerMissing, demo.NotForThisProfile) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        msg = f"the demo's results cannot be written to {args.out}: {error.strerror}"
        raise UsageError(msg) from error
    return 0 if happened else 1
