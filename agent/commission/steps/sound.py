"""Lamp, speaker and microphone: what a person at the scene sees and hears, and how well he is heard."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agent.commission.bench import failed, judged, passed
from agent.commission.plan import NEEDED_OF_TEN
from agent.local.client import NotDone
from agent.local.messages import Light, Listen, Walk, WentOff
from agent.signals import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step
    from agent.config.hearing import VoiceSettings
    from agent.local.client import LocalUnit

LIT_S: Final = 30.0
LOOP_WITHIN_S: Final = 330.0
"""Three tries of a minute's wait for quiet, with a minute between them (`agent.voice.self_test`)."""
TEN: Final = 10


async def lamp(_step: Step, bench: Bench) -> Result:
    """Somebody sees it."""
    await bench.unit.do(Light(LIT_S))
    seen = await bench.talk.yes("lamp.seen", f"The lamp was told to be lit for {LIT_S:.0f} s. Do you see it lit?")
    await bench.unit.do(Light(0.0))
    return judged(seen, "seen lit" if seen else "it was not lit")


async def loop(_step: Step, bench: Bench) -> Result:
    """The unit hears its own speaker: the daily self-test, now."""
    before = (await bench.unit.facts()).get("lastSelfTest", {}).get("time")
    try:
        await bench.unit.do(Listen())
    except NotDone as why:
        return failed(str(why))

    def over(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        last: Mapping[str, Any] = facts.get("lastSelfTest", {})
        return last if last.get("time") not in {None, before} else None

    bench.talk.tell("The unit speaks to itself as soon as it is quiet and no call is open. Be silent ...")
    last, _ = await bench.facts_until(over, LOOP_WITHIN_S)
    if last is None:
        put_off = (await bench.unit.facts()).get("selfTestPutOff")
        return failed(f"it was not made{f', because of a {put_off} that goes on' if put_off else ''}")
    if not last["ok"]:
        return failed(f"it did not hear itself in {last['attempts']} tries", attempts=last["attempts"])
    text = f"it heard itself at {last['levelDbfs']:.0f} dBFS in try {last['attempts']}"
    return passed(text, attempts=last["attempts"], levelDbfs=last["levelDbfs"], tookS=last["tookS"])


async def phrase(step: Step, bench: Bench) -> Result:
    """How often the phrase is heard from this distance, in this place, with its noise."""
    voice, times, talk = bench.config.voice, bench.patience.phrases, bench.talk
    said = next((each for each in voice.phrases if not each.silent), voice.phrases[0])
    needed = -(-NEEDED_OF_TEN[int(step.of)] * times // TEN)  # as many of so many, rounded up
    talk.tell(f'Stand {step.of} m from the microphone. At each cue say "{said.say}" once, as a person in need would.')
    await talk.ask(f"{step.id}.ready", f"Enter, when you are ready to say it {times} times:", str)
    heard = 0
    try:
        for count in range(1, times + 1):
            most_s = bench.patience.phrase_s
            await bench.unit.do(Walk((voice.name,), min(900.0, most_s + voice.refractory_s + 30)))
            since = len(bench.unit.news)
            await bench.cue(Line.TEST_SPEAK)
            talk.tell(f"{count} of {times}: say it now.")
            heard_it = await bench.unit.wait_for(partial(_heard, since=since, voice=voice, label=said.label), most_s)
            heard += heard_it is True
            talk.tell("heard" if heard_it else "NOT heard", "    ")
            if heard_it and count < times:
                await asyncio.sleep(voice.refractory_s)  # so soon it would be taken for the same call
    finally:
        await bench.unit.do(Walk((), 0.0))
    text = f"heard {heard} of {times} at {step.of} m" + (f", at least {needed}" if needed else ", no least number")
    return judged(heard >= needed, text, heard=heard, of=times, distanceM=int(step.of), label=said.label)


def _heard(unit: LocalUnit, *, since: int, voice: VoiceSettings, label: str) -> bool | None:
    heard = (each for each in unit.news[since:] if isinstance(each, WentOff))
    return True if any((each.sensor, each.label) == (voice.name, label) for each in heard) else None
