"""The walk test of one sensor: set off on purpose, told to the control room, and read back from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.commission.bench import failed, passed
from agent.commission.papers import NotSo
from agent.config.settings import InputKind
from agent.incidents.marks import CODE_DIGITS, code_of
from agent.local.messages import LONGEST_WALK_S, AlertAnswered, AlertTold, CameToRest, Walk, WentOff
from agent.signals import AckLevel, Category, Line

if TYPE_CHECKING:
    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step
    from agent.local.client import LocalUnit

CODE_TRIES: Final = 3
_HOW: Final = {
    InputKind.BUTTON: "Press it, as a person in need would.",
    InputKind.PIR: "Walk past it, at the edge of where it must see.",
    InputKind.TAMPER: "Open the housing, and shut it again when you are told.",
    InputKind.MAINS: "Switch the mains supply off, and on again when you are told.",
}
_RESTS: Final = {InputKind.TAMPER: "Shut the housing.", InputKind.MAINS: "Switch the mains supply on."}


async def walk(step: Step, bench: Bench) -> Result:
    """One sensor through the whole chain, to an operator's voice and back."""
    await bench.unit.do(Walk((step.of,), LONGEST_WALK_S))
    try:
        return await _walked(step, bench)
    finally:
        await bench.unit.do(Walk((), 0.0))


async def _walked(step: Step, bench: Bench) -> Result:
    talk, unit, sensor = bench.talk, bench.unit, step.of
    since = len(unit.news)
    talk.tell(f"{_how(step, bench)} It is a test: nobody comes.")
    await bench.cue(Line.TEST_TRIGGER)
    talk.tell(f"Waiting for {sensor} ...")
    went = await unit.wait_for(lambda unit: _went_off(unit, sensor, since), bench.patience.person_s)
    if went is None:
        return failed(f"it did not go off within {bench.patience.person_s:.0f} s")
    await bench.cue(Line.TEST_NOTICED)
    alert = await unit.wait_for(lambda unit: _told(unit, sensor, since), bench.patience.unit_s)
    if alert is None:
        return failed(
            "it went off, and no test alert came of it: what must come with it did not (movement, a repetition)"
        )
    received = await unit.wait_for(lambda unit: received_at(unit, alert), bench.patience.unit_s)
    if received is None:
        return failed(f"the control room did not receive alert {alert.alert_id}", alertId=alert.alert_id)
    took_s = max(0.0, received - went.at_s)
    talk.tell(f"The control room received it {took_s:.1f} s after.")
    if not await code_is_read_back(bench, step.id, alert):
        return failed("the control room read back another code", alertId=alert.alert_id)
    if (rests := _rests(step, bench)) is not None:
        talk.tell(rests)
        if await unit.wait_for(lambda unit: _rested(unit, sensor, since), bench.patience.person_s) is None:
            return failed("it did not come to rest again", alertId=alert.alert_id)
    text = f"received after {took_s:.1f} s and read back"
    return passed(text, alertId=alert.alert_id, category=alert.category, receivedAfterS=round(took_s, 2))


async def code_is_read_back(bench: Bench, key: str, alert: AlertTold) -> bool:
    """Have the engineer type what the operator reads out. The code is nowhere to be seen at the unit."""
    expected = code_of(alert.alert_id, Category(alert.category))
    ask = "Ring the control room. Which code stands behind TEST in this alert?"
    for attempt in range(CODE_TRIES):
        typed = await bench.talk.ask(f"{key}.code", ask if attempt == 0 else "And again?", _code)
        if typed == expected:
            return True
        bench.talk.tell("That is not the code of this alert: is it another one on the operator's screen?")
    return False


def received_at(unit: LocalUnit, alert: AlertTold) -> float | None:
    """When the control room's receiver had this revision of an alert, or a later one."""
    for each in unit.news:
        if (
            isinstance(each, AlertAnswered)
            and (each.alert_id, each.level) == (alert.alert_id, AckLevel.RECEIVER)
            and each.revision >= alert.revision
        ):
            return each.at_s
    return None


def _code(text: str) -> str:
    digits = "".join(text.split())
    if len(digits) != CODE_DIGITS or not digits.isdecimal():
        msg = f"the code has {CODE_DIGITS} digits"
        raise NotSo(msg)
    return digits


def _how(step: Step, bench: Bench) -> str:
    config = bench.config
    for each in config.inputs:
        if each.name == step.of:
            held = f" Then hold it for {each.silent_after_s:g} s, too, if you like." if each.silent_after_s else ""
            return f"{_HOW[each.kind]}{held}"
    if step.of == config.camera.name and config.camera.enabled:
        return "Hold something dark before the lens for half a minute, then take it away."
    return f'Say "{config.voice.phrases[0].say}" near the microphone, as a person in need would.'


def _rests(step: Step, bench: Bench) -> str | None:
    return next((_RESTS.get(each.kind) for each in bench.config.inputs if each.name == step.of), None)


def _went_off(unit: LocalUnit, sensor: str, since: int) -> WentOff | None:
    return next((each for each in unit.news[since:] if isinstance(each, WentOff) and each.sensor == sensor), None)


def _told(unit: LocalUnit, sensor: str, since: int) -> AlertTold | None:
    for each in unit.news[since:]:
        if isinstance(each, AlertTold) and each.test and sensor in each.sensors:
            return each
    return None


def _rested(unit: LocalUnit, sensor: str, since: int) -> bool | None:
    news = unit.news[since:]
    went = max((at for at, each in enumerate(news) if isinstance(each, WentOff) and each.sensor == sensor), default=0)
    rested = any(isinstance(each, CameToRest) and each.sensor == sensor for each in news[went:])
    return True if rested else None
