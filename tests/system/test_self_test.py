"""The whole unit speaks to itself, on a street that carries its voice to its own microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.signals import Category, Line
from fakes.sound import StreetSound
from fakes.town import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.room import ControlRoom
    from fakes.town import Town

VOICE = {"enabled": True, "light_on_suspicion": True, "self_test": {"enabled": True}}
DARK = {"on_motion": "never"}


def last_test(room: ControlRoom) -> dict[str, Any]:
    """What the last heartbeat says of it; the control room has checked that against the schema."""
    return next((dict(unit.heartbeat.get("lastSelfTest", {})) for unit in room.desk.units.values()), {})


async def test_the_unit_hears_its_own_voice_and_nobody_takes_it_for_a_call(town_with: Callable[..., Town]) -> None:
    town = town_with(voice=VOICE, lamp=DARK, uplink={"heartbeat_s": 1.0})
    town.sound = StreetSound(level_dbfs=-60.0)  # by night, so that it is soon quiet
    async with town:
        await town.start_unit()
        await town.street.connected("microphone")
        await town.control_room.test_alert("ashfield", "hk-demo-001", "engineer-1")  # a walk test
        await town.street.heard_line(Line.SOUND_CHECK)
        await town.control_room.wait_for(last_test, LIMIT_S)
        told = last_test(town.control_room)
        assert (told["ok"], told["attempts"]) == (True, 1)
        assert -35 < told["levelDbfs"] < -15
        assert {alert.category for alert in town.control_room.alerts.values()} == {Category.TEST}
        assert len(town.street.lamp_history) == 1, "not even a flash"
        assert [spoken.line for spoken in town.street.spoken] == [Line.SOUND_CHECK]
