"""Who, where and by what right: what an engineer knows or has in his folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.commission import papers
from agent.commission.bench import failed, judged, passed
from agent.commission.papers import URN_STATES, URN_TYPES, choice

if TYPE_CHECKING:
    from datetime import date

    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step


async def site(step: Step, bench: Bench) -> Result:
    """Who commissions what."""
    unit, talk = bench.config.unit, bench.talk
    talk.tell(f"{unit.name} ({unit.org}/{unit.id}), {unit.location}")
    if not await talk.yes(f"{step.id}.right", "Is this the unit before you, and the place where it stands?"):
        return failed("the configuration names another unit or another place: correct it first")
    facts: dict[str, Any] = {
        "engineer": await talk.ask(f"{step.id}.engineer", "Your name or reference?", papers.reference),
        "mount": await talk.ask(
            f"{step.id}.mount", "On what is it mounted (column number, wall, counter)?", papers.reference
        ),
        "power": await talk.ask(f"{step.id}.power", "What feeds it?", papers.reference),
        "gridReference": await talk.ask(f"{step.id}.grid", "Grid reference?", papers.reference),
    }
    if bench.config.camera.enabled:
        facts["cameraHeightM"] = await talk.ask(
            f"{step.id}.height", "How high is the camera, in metres?", papers.metres
        )
        facts["cameraBearingDeg"] = await talk.ask(
            f"{step.id}.bearing", "Where does it look, from north?", papers.degrees
        )
        facts["lens"] = await talk.ask(f"{step.id}.lens", "Which lens?", papers.reference)
        told = bench.config.camera.bearing_deg
        if told is not None and _between(told, facts["cameraBearingDeg"]) > WITHIN_DEG:
            return failed(f"alerts say that the camera looks to {told:g} degrees: correct one of them", **facts)
    return passed(f"by {facts['engineer']}, {facts['mount']}", **facts)


WITHIN_DEG = 20.0
"""Between a compass in the hand and what alerts tell: enough to send a patrol to the right side of a street."""


async def dpia(step: Step, bench: Bench) -> Result:
    """The data protection impact assessment that allows the unit."""
    return await _paper(step, bench, "the assessment")


async def pspo(step: Step, bench: Bench) -> Result:
    """The order that the unit collects evidence for, where there is one."""
    bench.talk.tell("Where no such order applies here: skip.")
    return await _paper(step, bench, "the order")


async def signage(step: Step, bench: Bench) -> Result:
    """The signs are up."""
    talk = bench.talk
    if not await talk.yes(f"{step.id}.up", "Are the signs up, with purpose, operator, contact and a word on sound?"):
        return failed("there is no sign: nobody may be filmed or heard without one")
    photo = await talk.ask(f"{step.id}.photo", "The photograph's reference?", papers.reference)
    expires: date = await talk.ask(f"{step.id}.expires", "Until when do they stand, or are looked over?", papers.day)
    holds = expires >= datetime.now(UTC).date()
    text = f"photograph {photo}, {'until' if holds else 'should have been looked over on'} {expires}"
    return judged(holds, text, photo=photo, expires=expires.isoformat())


async def urn(step: Step, bench: Bench) -> Result:
    """The number under which the police know this site's alarms."""
    talk = bench.talk
    talk.tell("Where the police have given none: skip.")
    number = await talk.ask(f"{step.id}.number", "The number?", papers.urn)
    kind = await talk.ask(
        f"{step.id}.type", f"For which alarms ({', '.join(URN_TYPES)})?", lambda text: choice(text, *URN_TYPES)
    )
    state = await talk.ask(
        f"{step.id}.state", f"How does it stand ({', '.join(URN_STATES)})?", lambda text: choice(text, *URN_STATES)
    )
    return judged(state == "live", f"{number}, {kind}, {state}", urn=number, type=kind, state=state)


async def _paper(step: Step, bench: Bench, what: str) -> Result:
    talk = bench.talk
    reference = await talk.ask(f"{step.id}.reference", f"The reference of {what}?", papers.reference)
    expires: date = await talk.ask(f"{step.id}.expires", "Until when does it hold?", papers.day)
    holds = expires >= datetime.now(UTC).date()
    text = f"{reference}, {'until' if holds else 'ended on'} {expires}"
    return judged(holds, text, reference=reference, expires=expires.isoformat())


def _between(one_deg: float, other_deg: float) -> float:
    apart = abs(one_deg - other_deg) % 360
    return min(apart, 360 - apart)
