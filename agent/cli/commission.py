"""`safepoint commission`: the walk test that makes a unit count, and the check of its signed result."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.cli.owned import as_owner
from agent.config.load import load_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from agent.cli.main import Subparsers
    from agent.commission.bench import Patience
    from agent.commission.conclusion import Conclusion
    from agent.commission.machine import Machine, Picture
    from agent.commission.seal import Signer
    from agent.commission.talk import Talk, Terminal
    from agent.config.settings import Config

DESCRIPTION = """\
Lead an engineer through the walk test of the unit that runs here: every sensor is set off and read back by the control
room, and camera, sound, network, power and papers are proved. Call it in a terminal on the unit; it can be left and
gone on with at any question. Until a unit has passed it where it stands, all its alerts are marked as tests.
"""
NOT_PASSED = 1
MOST_ANSWER_BYTES = 64 * 1024


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("commission", help="the walk test, and its signed result", description=DESCRIPTION)
    parser.add_argument("--config", metavar="FILE", type=Path, help="the unit's configuration")
    parser.add_argument(
        "--answers", metavar="FILE", type=Path, help="answers by key (YAML), for what need not be asked"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="where result and sheet go (here)")
    parser.add_argument("--again", action="store_true", help="begin anew: forget the steps that were done before")
    parser.set_defaults(func=run)
    verbs = parser.add_subparsers(title="more", metavar="VERB")
    verify = verbs.add_parser("verify", help="check a result: was it signed by the unit, and is it as it was signed?")
    verify.add_argument("file", metavar="FILE", type=Path, help="the signed result (JSON)")
    verify.add_argument(
        "--ca", metavar="FILE", type=Path, help="the authority that vouches for the scheme's units (PEM)"
    )
    verify.set_defaults(func=_verify)
    status = verbs.add_parser("status", help="tell whether the unit is commissioned as it is configured now")
    status.set_defaults(func=_status)
    withdraw = verbs.add_parser(
        "withdraw", help="the unit goes elsewhere: from its next start on all its alerts are tests"
    )
    withdraw.set_defaults(func=_withdraw)
    for verb in (status, withdraw):
        verb.add_argument("--config", metavar="FILE", type=Path, required=True, help="the unit's configuration")
    for verb in (verify, status, withdraw):
        verb.allow_abbrev = False


def run(args: argparse.Namespace) -> int:
    """Lead through the walk test; 0 when the unit passed, or when it goes on another time.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: it cannot be done here or now.
    """
    from agent.commission.machine import ThisMachine  # noqa: PLC0415 - keeps the other commands quick
    from agent.commission.talk import PlainTerminal  # noqa: PLC0415

    if args.config is None:
        msg = "--config is missing: name the unit's configuration (see safepoint commission --help)"
        raise UsageError(msg)
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
    except (UnitAway, SessionBusy, SessionDamaged) as why:
        raise UsageError(str(why)) from why


def _greet(talk: Talk, config: Config, steps: int, done: int, outdated: list[str]) -> None:
    talk.tell(f"Walk test of {config.unit.name} ({config.unit.id}): {steps} steps.", "")
    talk.tell("Type quit at any question to leave, skip to skip where that is allowed.", "")
    if done:
        talk.tell(f"Going on: {done} were done before.", "")
    if outdated:
        talk.tell(f"The configuration was changed, so these are done again: {', '.join(outdated)}.", "")


def read_answers(path: Path | None, config: Config) -> dict[str, str]:
    """The answers of a file.

    Raises:
        UsageError: it is none, or answers what nobody asks.
    """
    import yaml  # noqa: PLC0415

    from agent.commission.plan import steps_of  # noqa: PLC0415
    from agent.config.suggest import did_you_mean  # noqa: PLC0415

    if path is None:
        return {}
    try:
        content = path.read_bytes()[:MOST_ANSWER_BYTES]
        said = yaml.safe_load(content)
    except (OSError, yaml.YAMLError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no YAML"
        msg = f"--answers: {path} cannot be read: {reason}"
        raise UsageError(msg) from error
    if not isinstance(said, dict) or not all(
        isinstance(each, str | int | float | bool) or _is_day(each) for each in said.values()
    ):
        msg = f"--answers: {path} must say one plain answer for each key, such as `dpia.reference: DPIA-2026-4`"
        raise UsageError(msg)
    steps = [step.id for step in steps_of(config)]
    for key in map(str, said):
        if key != "end" and not any(key.startswith(f"{step}.") for step in steps):
            msg = f"--answers: nobody asks for {key} on this unit; {did_you_mean(key.rpartition('.')[0], steps)}"
            raise UsageError(msg)
    return {str(key): _plain(value) for key, value in said.items()}


def _is_day(value: object) -> bool:
    from datetime import date  # noqa: PLC0415

    return isinstance(value, date)


def _plain(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


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


def newest_picture(args: argparse.Namespace) -> Picture:
    """The newest picture of the footage on the disk, of full size.

    Raises:
        PictureMissing: there is none.
    """
    import numpy as np  # noqa: PLC0415

    from agent.cli.footage.desk import open_desk  # noqa: PLC0415
    from agent.cli.footage.still import nearest  # noqa: PLC0415
    from agent.commission.machine import Picture, PictureMissing  # noqa: PLC0415
    from agent.footage.show.stills import to_jpeg  # noqa: PLC0415

    try:
        desk = open_desk(args)
        if not desk.chronology.eras:
            msg = "nothing was recorded yet"
            raise PictureMissing(msg)
        era, shot = nearest(desk.chronology.eras[-1].end, desk)
    except UsageError as error:
        raise PictureMissing(str(error)) from error
    taken = era.moment(shot.taken_s)
    age_s = (desk.now - taken).total_seconds()
    if age_s > FRESH_S:
        msg = f"the newest one is {age_s:.0f} s old: is it recording?"
        raise PictureMissing(msg)
    luma = shot.picture.to_ndarray(format="gray").astype(np.uint8)
    return Picture(to_jpeg(shot.picture, max_bytes=MOST_STILL_BYTES), luma, taken.isoformat(timespec="seconds"))


FRESH_S = 15.0
"""A picture that is older shows another moment: segments are written as they come, and made safe each second."""
MOST_STILL_BYTES = 1_500_000
"""Two of them and the sheet around them are still a file that can be sent."""


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
        terminal.write("PASSED, but the agent has not taken it: restart it (systemctl restart safepoint-agent).")
        return NOT_PASSED
    terminal.write("PASSED: from now on the alerts of this unit are real.")
    return 0


def _verify(args: argparse.Namespace) -> int:
    """Check a result.

    Raises:
        UsageError: it cannot be read, or does not hold.
    """
    from agent.commission.seal import SealBroken, trust, unseal  # noqa: PLC0415

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
    except SealBroken as why:
        msg = f"{args.file} does not hold: {why}"
        raise UsageError(msg) from why
    result = opened.result
    unit = result.get("unit", {}).get("id")
    if unit != opened.signer:
        msg = f"{args.file} does not hold: it is about {unit}, and {opened.signer} signed it"
        raise UsageError(msg)
    vouched = "not checked (name it with --ca)" if authorities is None else f"{args.ca} vouches for it"
    signed = result.get("countersigned") or {}
    lines = [
        f"{args.file}: the signature of {opened.signer} holds",
        f"authority     {vouched}",
        f"result        {'PASSED' if result.get('passed') is True else 'NOT PASSED'}, {result.get('ended')}",
        f"engineer      {result.get('engineer')}",
        f"control room  {signed.get('operatorRef', 'not countersigned')}",
        f"sha256        {hashlib.sha256(sealed).hexdigest()}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _status(args: argparse.Namespace) -> int:
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


def _withdraw(args: argparse.Namespace) -> int:
    """The unit is not commissioned any more.

    Raises:
        UsageError: it still is.
    """
    from agent.commission.standing import withdraw  # noqa: PLC0415

    config = load_config(args.config, judge_files=False).config
    try:
        with as_owner(config):
            was = withdraw(config.state_folder)
    except OSError as error:
        msg = f"the commissioning in {config.state_folder} cannot be withdrawn: {error.strerror}"
        raise UsageError(msg) from error
    sys.stdout.write("Withdrawn.\n" if was else "This unit was not commissioned.\n")
    return 0
