"""Everything that a unit and a control room really say to each other is as the published description says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cloudevents.v1.http import CloudEvent, from_json

from agent.clock import SystemClock
from agent.signals import Category, CommandName, Outcome
from agent.uplink import messages
from agent.uplink.endpoint import Endpoint
from agent.uplink.publication import Subscription
from agent.uplink.topics import ROOT, UnitTopics
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S, ORG, UNIT_ID, Town
from tests.commands.mutations import ARGS
from tests.system.test_evidence import has_filmed
from tests.uplink.contract import Contract
from tests.uplink.lab import Ear, linked, passing, until

if TYPE_CHECKING:
    from pathlib import Path

    from agent.uplink.publication import Received

TOPICS = UnitTopics(ORG, UNIT_ID)
PANIC = {"name": "panic-1", "kind": "button", "pin": 17}
# The profile lets no operator unset a shop from afar.
MEMBERS = {"operator": [{}], "engineer": [{"operator": "eng-1"}]}
SMALL = {
    "voice": {"enabled": False},
    "camera": {"enabled": True, "width_px": 320, "height_px": 180, "bitrate_kbps": 500},
    "footage": {"pre_event_s": 2, "post_event_s": 1, "segment_s": 2},
    "inputs": [PANIC],
    "commands": {"members": MEMBERS},
}


def over_for(ear: Ear) -> set[str]:
    """The commands that got a last answer."""
    answers = [json.loads(said.payload)["data"] for said in ear.heard if "/rsp/" in said.topic]
    return {answer["command"] for answer in answers if answer["status"] in {"done", "refused", "failed"}}


MUST_BE_DONE = {CommandName.SET, CommandName.LIGHT, CommandName.TEST_ALERT, CommandName.CONFIG_REPORT}
"""With what `ARGS` asks for nothing keeps this unit from these; the others come to `done` in test_commands_done."""


def done_for(ear: Ear) -> set[str]:
    """The commands that were carried out to their end."""
    answers = [json.loads(said.payload)["data"] for said in ear.heard if "/rsp/" in said.topic]
    return {answer["command"] for answer in answers if answer["status"] == "done"}


def is_event_to_a_stranger(said: Received) -> None:
    """Have the SDK of the CloudEvents project read it.

    Raises:
        Exception: the SDK does not take it.
    """
    if not said.payload:
        return  # a retained one is deleted
    if "/still/" in said.topic:  # binary mode: the attributes are MQTT 5 user properties
        event = CloudEvent(dict(said.user_properties), said.payload)
    else:
        event = from_json(said.payload)
        assert event.get_data() == json.loads(said.payload)["data"]
    attributes = event.get_attributes()
    assert {"id", "source", "type", "time", "specversion"} <= {*attributes}
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in attributes), "names as the specification has them"


async def test_what_is_said_in_both_directions_is_as_asyncapi_says(folder: Path) -> None:
    contract, ear = Contract(), Ear()
    town = Town(folder, "safe-space", SMALL)
    # With the flag as it was published: a broker clears it on everything that it forwards at once.
    heard_there = passing("there", (Subscription(f"{ROOT}/{ORG}/+/#", retain_as_published=True),), max_payload=64_000)
    heard_here = passing("here", (Subscription(f"{ROOT}/{ORG}/{UNIT_ID}/cmd/+/+", retain_as_published=True),))
    uplink = town.config.uplink
    as_unit = Endpoint.build(
        uplink.broker, ca_file=uplink.ca_file, cert_file=uplink.cert_file, key_file=uplink.key_file
    )
    async with (
        town,
        linked(town.endpoint, heard_there, on_message=ear) as foreign,
        linked(as_unit, heard_here, on_message=ear),
    ):
        await town.start_unit()
        await has_filmed(town, 0)  # of a moment before the first picture there is none
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.control_room.close_alert(call.alert_id, Outcome.FALSE, "a child", "op-1")
        await town.control_room.unset_unit(ORG, UNIT_ID, "eng-1")
        await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        await until(lambda: any("/still/" in said.topic for said in ear.heard), "a picture of the call comes")
        for name in CommandName:
            now = SystemClock().now().wall
            command = messages.command(TOPICS, CONTROL_ROOM, now, name, operator_ref="op-1", args=ARGS[name])
            await foreign.publish(command.publication())
        await until(lambda: over_for(ear) >= {*CommandName}, "each command is over: done, refused or failed")
        assert done_for(ear) >= MUST_BE_DONE
        town.unit.terminate()
        await town.unit.ended()
        await until(lambda: any(b'"stopped"' in said.payload for said in ear.heard), "the unit's good-bye is heard")
    heard = {contract.judge(said).name for said in ear.heard}
    assert heard == {*contract.channels} - {"onvif-ej"}
    for said in ear.heard:
        is_event_to_a_stranger(said)
    assert {contract.channels[name].action for name in heard} == {"send", "receive"}
    ack = next(said for said in ear.heard if said.topic.endswith("/ack"))
    with pytest.raises(AssertionError, match="alertId"):  # the judge is no yes-man
        contract.judge(replace(ack, payload=json.dumps({**json.loads(ack.payload), "data": {}}).encode()))
    with pytest.raises(AssertionError, match="0 channels"):
        contract.judge(replace(ack, topic=f"{ROOT}/{ORG}/{UNIT_ID}/gossip"))
    with pytest.raises(AssertionError):
        contract.judge(replace(ack, retain=True))
