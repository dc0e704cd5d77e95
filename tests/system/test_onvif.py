"""The mirror of events for a video management system, from the pin to the system's own subscription."""

from __future__ import annotations

import json
from typing import Any

from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.publication import Subscription
from fakes.broker import VIDEO_SYSTEM
from fakes.town import ORG, UNIT_ID
from tests.uplink.lab import Ear, linked, passing, until

INPUTS = [
    {"name": "panic-1", "kind": "button", "pin": 17},
    {"name": "duress-1", "kind": "button", "pin": 18, "silent_after_s": 1.0},
]
PREFIX = f"safepoint/v1/{ORG}/{UNIT_ID}/onvif-ej"
BUTTON = f"{PREFIX}/Device/Trigger/DigitalInput/&panic-1"
LAMP = f"{PREFIX}/Device/Trigger/Relay/&lamp"


async def test_a_video_system_sees_a_pressed_button_and_the_lamp_and_finds_them_as_they_are_when_it_comes_later(
    town_with: Any,  # noqa: ANN401 - a maker of towns
) -> None:
    town = town_with(inputs=INPUTS, uplink={"onvif_ej": True})
    theirs = town.authority.issue_client(VIDEO_SYSTEM)
    endpoint = Endpoint.build(
        town.broker.url, ca_file=theirs.ca_file, cert_file=theirs.cert_file, key_file=theirs.key_file
    )
    everything = (Subscription("safepoint/v1/+/+/onvif-ej/#"),)
    ear, late = Ear(), Ear()

    def told(ear: Ear, topic: str) -> list[Any]:
        return [json.loads(said.payload)["Data"]["LogicalState"] for said in ear.heard if said.topic == topic]

    async with town, linked(endpoint, passing("vms", everything), on_message=ear):
        await town.start_unit()
        await until(lambda: told(ear, BUTTON) == [False], "it begins at rest")
        await town.street.hold("panic-1")
        await town.alert(Category.HELP)
        await until(lambda: told(ear, BUTTON) == [False, True], "the button is told")
        await until(lambda: told(ear, LAMP)[-1:] == ["active"], "the lamp is told")
        async with linked(endpoint, passing("vms-late", everything), on_message=late):
            await until(lambda: told(late, BUTTON) == [True], "who comes later finds the button pressed")
            assert all(said.retain for said in late.heard)
        await town.street.let_go("panic-1")
        await until(lambda: told(ear, BUTTON) == [False, True, False], "the button is let go")
    assert not any("duress-1" in said.topic for said in ear.heard)
