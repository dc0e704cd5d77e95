"""`safepoint run`: be the unit. systemd starts this."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("run", help="be the unit: the daemon that systemd starts")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the unit's configuration")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Be the unit until told to stop.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: its hardware kit or its broker cannot. Certificates that cannot are no reason not to start.
    """
    from agent import daemon  # noqa: PLC0415 - keeps the other commands quick
    from agent.hw.kit import KitUnusable  # noqa: PLC0415
    from agent.uplink.tls import EndpointInvalid  # noqa: PLC0415

    try:
        return daemon.run(args.config)
    except (KitUnusable, EndpointInvalid) as unusable:
        raise UsageError(str(unusable)) from unusable
