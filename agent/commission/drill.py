"""The shop's weekly drill: press the button, and see that somebody in the control room answers.

Only that button is in test while the drill lasts: a call by voice, by another button or after the drill is real.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from agent.commission.session import now
from agent.commission.steps.walk import received_at
from agent.config.settings import InputKind
from agent.durable import write_all
from agent.local.messages import AlertAnswered, AlertTold, Walk, WentOff
from agent.signals import AckLevel, Category

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config, InputSettings
    from agent.local.client import LocalUnit

FILE_NAME: Final = "drills.jsonl"
PRESSED_WITHIN_S: Final = 120.0
RECEIVED_WITHIN_S: Final = 30.0
"""Longer than any resend on a path that works (`uplink.resend_s`)."""


class NoDrill(Exception):
    """There can be none now; the text says why."""


@dataclass(frozen=True)
class Drill:
    """One drill, as it is recorded."""

    at: str
    """Wall time, UTC."""
    button: str
    passed: bool
    text: str
    """One line: what happened."""
    alert_id: str | None = None
    received_after_s: float | None = None
    """From the press to the control room's machine."""
    answered_after_s: float | None = None
    """From the press to a person there."""
    operator_ref: str | None = None


def button_of(config: Config, name: str | None) -> InputSettings:
    """The button to press: the one that is named, or that for silent calls, or the first.

    Raises:
        NoDrill: there is none.
    """
    buttons = [each for each in config.inputs if each.kind is InputKind.BUTTON]
    named = [each for each in buttons if name in {None, each.name}]
    if not named:
        there = ", ".join(each.name for each in buttons) or "none"
        msg = f"this unit has no button {name or 'to press'}; there are: {there}"
        raise NoDrill(msg)
    return next((each for each in named if each.silent_after_s is not None), named[0])


async def drill(config: Config, button: InputSettings, unit: LocalUnit, *, pressed_within_s: float) -> Drill:
    """Wait for the press and for the control room.

    Raises:
        NoDrill: somebody calls for help right now, or somebody else makes a walk test.
        NotDone, UnitAway: the unit does not take it.
    """
    facts, at = await unit.facts(), now()
    if any((each["category"], each["state"]) == (Category.HELP, "active") for each in facts["open"]):
        msg = "a call for help goes on: see to that first, and try again a minute after"
        raise NoDrill(msg)
    since = len(unit.news)
    await unit.do(Walk((button.name,), pressed_within_s + RECEIVED_WITHIN_S))
    try:
        return await _pressed(Drill(at, button.name, passed=False, text=""), config, unit, since, pressed_within_s)
    finally:
        await unit.do(Walk((), 0.0))


async def _pressed(done: Drill, config: Config, unit: LocalUnit, since: int, pressed_within_s: float) -> Drill:
    button = done.button
    went = await unit.wait_for(lambda unit: _went_off(unit, button, since), pressed_within_s)
    if went is None:
        return replace(done, text=f"it was not pressed within {pressed_within_s:.0f} s")
    alert = await unit.wait_for(lambda unit: _told(unit, button, since), RECEIVED_WITHIN_S)
    if alert is None:
        return replace(done, text="it was pressed, and no alert came of it")
    done = replace(done, alert_id=alert.alert_id)
    received_s = await unit.wait_for(lambda unit: received_at(unit, alert), RECEIVED_WITHIN_S)
    if received_s is None:
        return replace(done, text=f"the control room did not receive it within {RECEIVED_WITHIN_S:.0f} s")
    done = replace(done, received_after_s=round(received_s - went.at_s, 1))
    received, most_s = f"received after {done.received_after_s} s", config.incidents.escalate_help_s
    answer = await unit.wait_for(lambda unit: _answered(unit, alert.alert_id), most_s)
    if answer is None:
        return replace(done, text=f"{received}, but nobody in the control room answered within {most_s:.0f} s")
    after_s = round(answer.at_s - went.at_s, 1)
    text = f"{received}, answered by {answer.operator_ref} after {after_s} s"
    return replace(done, passed=True, text=text, answered_after_s=after_s, operator_ref=answer.operator_ref)


def record(folder: Path, done: Drill) -> None:
    """Append a drill to the unit's record of them; on return it outlives a power cut.

    Raises:
        OSError: it is not recorded.
    """
    line = json.dumps(asdict(done), ensure_ascii=True).encode() + b"\n"
    fd = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        write_all(fd, line)
        os.fsync(fd)
    finally:
        os.close(fd)


def _went_off(unit: LocalUnit, button: str, since: int) -> WentOff | None:
    return next((each for each in unit.news[since:] if isinstance(each, WentOff) and each.sensor == button), None)


def _told(unit: LocalUnit, button: str, since: int) -> AlertTold | None:
    told = (each for each in unit.news[since:] if isinstance(each, AlertTold))
    return next((each for each in told if each.test and button in each.sensors), None)


def _answered(unit: LocalUnit, alert_id: str) -> AlertAnswered | None:
    levels = {AckLevel.OPERATOR, AckLevel.CLOSED}
    answers = (each for each in unit.news if isinstance(each, AlertAnswered) and each.alert_id == alert_id)
    return next((each for each in answers if each.level in levels), None)
