"""`--config`: which unit's file a command works by. On a unit there is one, and nobody types its name in the rain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

UNIT_FILE: Final = Path("/etc/safepoint/unit.yaml")
"""Where provisioning puts it."""


def add_unit_file(parser: argparse.ArgumentParser, *, verb: bool = False) -> None:
    """Let a command take another unit's file.

    Args:
        parser: the command.
        verb: it belongs to a command that takes one already: what was said there counts, unless it is said again.
    """
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=argparse.SUPPRESS if verb else UNIT_FILE,
        help=f"the unit's configuration (default: {UNIT_FILE})",
    )
