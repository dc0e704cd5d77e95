"""Leads through the walk test of the unit that runs here, and hands over what came of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner
from agent.config.load import load_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from agent.commission.bench import Patience
    from agent.commission.conclusion import Conclusion
    from agent.commission.machine import Machine
    from agent.commission.seal import Signer
    from agent.commission.talk import Talk, Terminal
    from agent.config.settings import Config

NOT_PASSED = 1


def run(args: argparse.Namespace) -> int:
    """Lead through the walk test; 0 when the unit passed, or when it goes on another time.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: it cannot be done here or now.
    """
    from agent.cli.commission.answers import read_answers  # noqa: PLC0415 - keeps the other commands quick
    from agent.cli.commission.picture import newest_picture  # noqa: PLC0415
    from agent.commission.machine import ThisMachine  # noqa: PLC0415
    from agent.commission.talk import PlainTerminal  # noqa: PLC0415

    config = load_config(args.config).config
    if not args.out.is_dir():
        msg = f"--out: there is no folder {args.out}"
        raise UsageError(msg)
    answers, signer = read_answers(args.answers, config), signer_of(config)
    terminal, machine = PlainTerminal(), ThisMachine(lambda: newest_picture(args))
    try:
        with as_owner(config):
            conclusion = asyncio.run(commission(config, signer, terminal, machine, answers, anew=args.again))
    except OSError as error:
        msg = f"the state folder {config.state_folder} cannot be used: {error.strerror or error}"
        raise UsageError(msg) from error
    if conclusion is None:
        terminal.write("Left. What was done is kept; the same command goes on from here.")
        return 0
    return _hand_over(args.out, conclusion, terminal)


async def commission(  # noqa: PLR0913 - who takes part
    config: Config,
    signer: Signer,
    terminal: Terminal,
    machine: Machine,
    answers: Mapping[str, str],
    *,
    anew: bool = False,
    patience: Patience | None = None,
) -> Conclusion | None:
    """Lead through it; None: the engineer left before its end.

    Raises:
        UsageError: it cannot be begun, or the agent went away.
        OSError: the unit's disk does not keep it.
    """
    from agent.commission.bench import Bench, Patience  # noqa: PLC0415
    from agent.commission.conclusion import conclude  # noqa: PLC0415
    from agent.commission.dialogue import lead  # noqa: PLC0415
    from agent.commission.seal import CannotSign  # noqa: PLC0415
    from agent.commission.session import SessionBusy, SessionDamaged, opened  # noqa: PLC0415
    from agent.commission.talk import Left, Talk  # noqa: PLC0415
    from agent.local.client import LocalUnit, UnitAway  # noqa: PLC0415

    talk = Talk(terminal, answers)
    try:
        with opened(config, anew=anew) as (session, outdated):
            async with LocalUnit(config) as unit:
                _greet(talk, config, len(session.course.steps), len(session.course.results), outdated)
                bench = Bench(config, talk, unit, machine, session, patience or Patience())
                session.save()
                await lead(bench)
                return await conclude(bench, signer)
    except Left:
        return None
    except (UnitAway, SessionBusy, SessionDamaged, CannotSign) as why:
        raise UsageError(str(why)) from why


def _greet(talk: Talk, config: Config, steps: int, done: int, outdated: list[str]) -> None:
    talk.tell(f"Walk test of {config.unit.name} ({config.unit.id}): {steps} steps.", "")
    talk.tell("Type quit at any question to leave, skip to skip where that is allowed.", "")
    if done:
        talk.tell(f"Going on: {done} were done before.", "")
    if outdated:
        talk.tell(f"The configuration was changed, so these are done again: {', '.join(outdated)}.", "")


def signer_of(config: Config) -> Signer:
    """The unit's own key.

    Raises:
        UsageError: it cannot sign.
    """
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.commission.seal import CannotSign, Signer  # noqa: PLC0415
    from agent.uplink.credentials import Credentials  # noqa: PLC0415

    credentials = Credentials.of(config, SystemClock())
    if credentials is None:
        msg = "this unit has no key to sign its result with: a bench without TLS cannot be commissioned"
        raise UsageError(msg)
    identity = credentials.slots.active()
    try:
        return Signer.load(identity.key_file, identity.cert_file)
    except CannotSign as error:
        raise UsageError(str(error)) from error


def _hand_over(folder: Path, conclusion: Conclusion, terminal: Terminal) -> int:
    """Write both files and say how it ended.

    Raises:
        UsageError: they cannot be written.
    """
    from agent.durable import put_whole  # noqa: PLC0415

    result, sheet = folder / f"{conclusion.name}.json", folder / f"{conclusion.name}.html"
    try:
        put_whole(result, conclusion.sealed, 0o644)
        put_whole(sheet, conclusion.sheet.encode("utf-8"), 0o644)
    except OSError as error:
        msg = f"the result cannot be written to {folder}: {error.strerror}"
        raise UsageError(msg) from error
    terminal.write("")
    terminal.write(f"Result  {result}")
    terminal.write(f"Sheet   {sheet} (print it)")
    if not conclusion.passed:
        terminal.write("NOT PASSED: all alerts of this unit are marked as tests.")
        return NOT_PASSED
    if not conclusion.in_force:
        terminal.write("PASSED, but not in force: the agent runs with another configuration than this file.")
        terminal.write("Restart it (systemctl restart safepoint-agent), then see `safepoint commission status`.")
        return NOT_PASSED
    terminal.write("PASSED: from now on the alerts of this unit are real.")
    return 0
