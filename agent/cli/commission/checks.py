"""What can be asked about a commissioning afterwards: whether a result holds, how the unit stands, and its end."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner
from agent.config.load import load_config
from agent.config.problems import one_line

if TYPE_CHECKING:
    import argparse

    from agent.config.settings import Config

NOT_PASSED = 1


def verify(args: argparse.Namespace) -> int:
    """Check a result; 0 when the unit passed and the control room countersigned it.

    Raises:
        UsageError: it cannot be read, or does not hold.
    """
    from agent.commission.seal import SealBroken, trust, unseal  # noqa: PLC0415
    from agent.commission.summary import Summary  # noqa: PLC0415

    try:
        sealed = args.file.read_bytes()
        authorities = None if args.ca is None else args.ca.read_bytes()
    except OSError as error:
        msg = f"{error.filename} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    try:
        opened = unseal(sealed)
        if authorities is not None:
            trust(opened, authorities)
        result = Summary.of(opened)
    except SealBroken as why:
        msg = f"{args.file} does not hold: {one_line(str(why))}"
        raise UsageError(msg) from why
    vouched = "not checked (name it with --ca)" if authorities is None else f"{args.ca} vouches for it"
    lines = [
        f"{args.file}: the signature of {one_line(opened.signer)} holds",
        f"authority     {vouched}",
        f"result        {'PASSED' if result.passed else 'NOT PASSED'}, {one_line(result.ended)}",
        f"engineer      {'nobody' if result.engineer is None else one_line(result.engineer)}",
        f"control room  {one_line(result.countersigned.operator_ref) if result.countersigned else 'NOT COUNTERSIGNED'}",
        f"sha256        {hashlib.sha256(sealed).hexdigest()}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if result.is_whole else NOT_PASSED


def status(args: argparse.Namespace) -> int:
    """Tell how it stands; 0 when everything is proved."""
    from agent.commission.standing import State, read_standing  # noqa: PLC0415

    config = load_config(args.config, judge_files=False).config
    try:
        with as_owner(config):
            found = read_standing(config)
    except OSError as error:
        msg = f"{config.state_folder} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    sys.stdout.write(f"{found.text}\n")
    return 0 if found.state is State.PASSED else NOT_PASSED


def withdraw(args: argparse.Namespace) -> int:
    """The unit is not commissioned any more.

    Raises:
        UsageError: it still is.
    """
    from agent.commission import standing  # noqa: PLC0415
    from agent.local.client import UnitAway  # noqa: PLC0415

    config = load_config(args.config, judge_files=False).config
    try:
        with as_owner(config):
            was = standing.withdraw(config.state_folder)
            asyncio.run(_tell_unit(config))
    except UnitAway:
        pass  # it reads it at its next start
    except OSError as error:
        msg = f"the commissioning in {config.state_folder} cannot be withdrawn: {error.strerror}"
        raise UsageError(msg) from error
    sys.stdout.write("Withdrawn.\n" if was else "This unit was not commissioned.\n")
    return 0


async def _tell_unit(config: Config) -> None:
    """Have the unit look.

    Raises:
        UnitAway: it does not run.
    """
    from agent.local.client import LocalUnit  # noqa: PLC0415
    from agent.local.messages import ReadCommissioning  # noqa: PLC0415

    async with LocalUnit(config) as unit:
        await unit.do(ReadCommissioning())
