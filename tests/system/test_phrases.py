"""Phrases on the whole unit: a duress phrase that nobody at the scene notices, and one that waits for its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import Category, LightPattern, Line, Outcome
from fakes import SPEECH

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.alerts import Alert
    from fakes.town import Town

LIMIT_S = 60.0
VOICE = {
    "enabled": True,
    "light_on_suspicion": True,
    "phrases": [
        {"say": "call the police", "label": "staff-duress", "silent": True},
        {"say": "help me", "label": "help-me", "movement_within_s": 30.0},
    ],
}
DARK = {"on_motion": "never"}


async def test_a_duress_phrase_reaches_the_control_room_and_nobody_at_the_scene(
    town_with: Callable[..., Town],
) -> None:
    async with town_with(voice=VOICE, lamp=DARK) as town:
        await town.start_unit()
        await town.street.connected("microphone")
        await town.street.say(SPEECH / "call-the-police-rms.wav")
        call = await town.alert(Category.HELP)
        assert call.first.data["silent"] is True
        assert [each["label"] for each in call.first.data["detections"]] == ["staff-duress"]

        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.control_room.close_alert(call.alert_id, Outcome.GENUINE, None, "op-1")
        await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        assert len(town.street.lamp_history) == 1, "not even a flash"
        assert town.street.spoken == []

        before = town.known()
        await town.street.press("panic-1")
        await town.alert(Category.HELP, after=before)
        await town.street.lamp_shows(LightPattern.HEARD)  # lamp and speaker were there all the time
        await town.street.heard_line(Line.RECEIVED)


async def test_a_phrase_without_its_evidence_is_a_passing_light_and_with_it_a_call(
    town_with: Callable[..., Town],
) -> None:
    async with town_with(voice=VOICE, lamp=DARK) as town:
        await town.start_unit()
        await town.street.connected("microphone")
        said_s = await town.street.say(SPEECH / "help-me-slt.wav")
        lit_s = await town.street.lamp_is(lit=True, since_s=said_s - 1)
        await town.street.lamp_is(lit=False, since_s=lit_s + 0.1)
        calls: list[Alert] = [each for each in town.control_room.alerts.values() if each.category is Category.HELP]
        assert calls == []
        await town.street.walk_past("pir-1", for_s=0.5)
        call = await town.alert(Category.HELP)
        assert [each["label"] for each in call.first.data["detections"]] == ["help-me"]
        await town.street.lamp_shows(LightPattern.HEARD)
