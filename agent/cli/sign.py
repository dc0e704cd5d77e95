"""`safepoint sign CONFIG --out FILE.html`: the sign beside the unit, ready to print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.config.load import load_config

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers

DESCRIPTION = """\
Make the sign that stands beside a unit: how to call for help, that there is CCTV and why, what is done with sound, who
runs it and whom to ask, all as the configuration has it. Open the file in a browser and print it on A4, or print it
into a PDF. Only phrases that count at once are on it, and never a silent one.
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("sign", help="make the sign beside the unit (A4)", description=DESCRIPTION)
    parser.add_argument("file", metavar="CONFIG", type=Path, help="the unit's configuration (YAML)")
    parser.add_argument("--out", metavar="FILE.html", type=Path, required=True, help="the file to make")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Make it.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: it lacks what must be on a sign, or the file cannot be written.
    """
    from agent.sign.page import page  # noqa: PLC0415 - keeps the other commands quick
    from agent.sign.wording import SignImpossible, wording  # noqa: PLC0415

    # A sign is made at a desk, where the unit's certificates are not.
    config = load_config(args.file, judge_files=False).config
    try:
        sign = wording(config)
    except SignImpossible as impossible:
        msg = f"{args.file}: {impossible}"
        raise UsageError(msg) from impossible
    try:
        with args.out.open("w" if args.force else "x", encoding="utf-8") as file:
            file.write(page(sign))
    except FileExistsError as error:
        msg = f"--out: {args.out} is there already: give another name, or --force to replace it"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"--out: {args.out} cannot be written: {error.strerror}"
        raise UsageError(msg) from error
    phrases = ", ".join(f'"{call.say}"' for call in sign.calls) or "none"
    sys.stdout.write(f"{args.out}: open it in a browser and print it on A4; phrases on it: {phrases}\n")
    return 0
