"""`safepoint drill`: press the button once a week, and see that the control room answers."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner
from agent.cli.unit_file import add_unit_file
from agent.config.load import load_config

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers
    from agent.commission.drill import Drill
    from agent.config.settings import Config, InputSettings

NOT_PASSED = 1


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "drill",
        help="the weekly test of the button, to an operator and back",
        description="Ask somebody to press the button, in test, and see that a person in the control room answers. One "
        "line says how it went, and the unit keeps it; the exit code is 0 if all of it worked. Only that button is in "
        "test, and only while this runs: every other call is real.",
    )
    add_unit_file(parser)
    parser.add_argument("--button", metavar="NAME", help="which button, where there are several")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Drill.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: it cannot be done here or now, or not be recorded.
    """
    from agent.commission.drill import NoDrill, button_of, record  # noqa: PLC0415 - keeps the other commands quick
    from agent.local.client import NotDone, UnitAway  # noqa: PLC0415

    config = load_config(args.config, judge_files=False).config
    try:
        with as_owner(config):
            done = asyncio.run(_drill(config, button_of(config, args.button)))
            record(config.state_folder, done)
    except (NoDrill, NotDone, UnitAway) as why:
        raise UsageError(str(why)) from why
    except OSError as error:
        msg = f"the drill cannot be recorded in {config.state_folder}: {error.strerror}"
        raise UsageError(msg) from error
    sys.stdout.write(f"DRILL {'PASSED' if done.passed else 'FAILED'} {done.at} {done.button}: {done.text}\n")
    return 0 if done.passed else NOT_PASSED


async def _drill(config: Config, button: InputSettings) -> Drill:
    from agent.commission.drill import PRESSED_WITHIN_S, drill  # noqa: PLC0415
    from agent.local.client import LocalUnit  # noqa: PLC0415

    async with LocalUnit(config) as unit:
        sys.stderr.write(f"This is a drill: press {button.name} now. The control room knows it as a test.\n")
        return await drill(config, button, unit, pressed_within_s=PRESSED_WITHIN_S)
