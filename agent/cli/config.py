"""`safepoint config FILE`: what really applies, and who said so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.load import load_config
from agent.config.show import shown

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "config",
        help="print the effective configuration with the origin of each value",
        description="Print the effective configuration as YAML; a comment behind each value says where it comes from.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the unit's configuration (YAML)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print it.

    Raises:
        ConfigInvalid: the file cannot be used.
    """
    sys.stdout.write(shown(load_config(args.file)))
    return 0
