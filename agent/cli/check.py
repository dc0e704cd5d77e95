"""`safepoint check FILE`: is this configuration fit for use on this machine?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.load import load_config
from agent.config.problems import ConfigInvalid
from agent.config.trial import broken_models, refused_certificates
from agent.sign.wording import unsaid

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "check",
        help="check a unit's configuration and name every problem",
        description="Check a unit's configuration. Every problem is a line on stderr, and the exit code is then 2. "
        "What the unit works with, but should not be put up with, is a warning there.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the unit's configuration (YAML)")
    parser.add_argument(
        "--start-only",
        action="store_true",
        help="only what the daemon would not start with: certificates, keys and voice models are not looked at",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Check the file.

    Raises:
        ConfigInvalid: it cannot be used.
    """
    config = load_config(args.file, judge_files=not args.start_only).config
    if args.start_only:
        sys.stdout.write(f"{args.file}: the daemon would start with this\n")
        return 0
    if refused := list(refused_certificates(args.file, config)):
        raise ConfigInvalid(refused)
    if config.voice.enabled and (broken := list(broken_models(args.file, config.voice))):
        raise ConfigInvalid(broken)
    sys.stdout.write(f"{args.file}: the configuration of {config.unit.id} (profile {config.profile}) is valid\n")
    if not config.uplink.insecure_lab and (missing := unsaid(config)):  # nobody passes by a bench
        sys.stderr.write(
            f"{args.file}: warning: no sign can be made without {' and '.join(missing)}, and nobody may be filmed or "
            "heard where no sign says who does it and whom to ask\n"
        )
    return 0
