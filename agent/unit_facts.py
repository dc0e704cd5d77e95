"""What the helpers' parts of the unit say of themselves in the heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.meter_facts import meter_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.clock import Moment
    from agent.config.hearing import VoiceSettings
    from agent.helpers.owner import Helper
    from agent.recovery import Recovery


def faults_facts(faults: Mapping[tuple[str, str], str]) -> Mapping[str, Any]:
    """Whether all is well, and what is not: (part, code) -> one sentence."""
    told = [{"part": part, "code": code, "text": text} for (part, code), text in sorted(faults.items())]
    return {"state": "degraded" if told else "ok", "faults": told}


def footage_facts(recorder: Helper | None, recovery: Recovery | None) -> Mapping[str, Any]:
    """How much footage there is, as soon as the recorder has said it, and what is done to get more."""
    if recorder is None or recovery is None:
        return {}
    footage = {} if recorder.footage is None else {"footage": dict(recorder.footage.facts)}
    return {**footage, "recovery": recovery.facts()}


def hearing_facts(listener: Helper | None, voice: VoiceSettings, now: Moment) -> Mapping[str, Any]:
    """How the microphone hears and how loud it is, as far as the listener said it, and when."""
    if listener is None:
        return {}
    facts: dict[str, Any] = {}
    if listener.hearing is not None:
        facts |= {"ageS": round(now.monotonic_s - listener.hearing.at_s, 1), **listener.hearing.facts}
    if voice.meter.enabled:
        facts |= meter_facts(voice.meter.calibrated_on, listener.sound, now)
    return {"mics": [{"id": voice.name, **facts}]} if facts else {}
