"""`safepoint check FILE`: is this configuration fit for use on this machine?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.load import load_config
from agent.config.problems import ConfigInvalid, Problem

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "check",
        help="check a unit's configuration and name every problem",
        description="Check a unit's configuration. Every problem is a line on stderr, and the exit code is then 2.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the unit's configuration (YAML)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Check the file.

    Raises:
        ConfigInvalid: it cannot be used.
    """
    # Vosk is tried for this command alone: half a second.
    from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable  # noqa: PLC0415
    from agent.voice.probe import prove  # noqa: PLC0415

    config = load_config(args.file).config
    if config.voice.enabled:
        try:
            prove(config.voice.model or BUNDLED_MODEL)
        except ModelUnusable as error:
            raise ConfigInvalid([Problem(str(args.file), None, "voice.model", str(error))]) from error
    sys.stdout.write(f"{args.file}: the configuration of {config.unit.id} (profile {config.profile}) is valid\n")
    return 0
