"""Everything that a unit and a control room really say to each other is as the published description says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.signals import Category, Outcome
from agent.uplink.endpoint import Endpoint
from agent.uplink.publication import Subscription
from agent.uplink.topics import ROOT
from fakes.town import LIMIT_S, ORG, UNIT_ID, Town
from tests.uplink.contract import Contract
from tests.uplink.lab import Ear, linked, passing, until

if TYPE_CHECKING:
    from pathlib import Path

PANIC = {"name": "panic-1", "kind": "button", "pin": 17}
# The profile lets no operator unset a shop from afar.
MEMBERS = {"operator": [{}], "engineer": [{"operator": "eng-1"}]}
SMALL = {
    "voice": {"enabled": False},
    "camera": {"enabled": False},
    "inputs": [PANIC],
    "commands": {"members": MEMBERS},
}


async def test_what_is_said_in_both_directions_is_as_asyncapi_says(folder: Path) -> None:
    contract, ear = Contract(), Ear()
    town = Town(folder, "safe-space", SMALL)
    # With the flag as it was published: a broker clears it on everything that it forwards at once.
    heard_there = passing("there", (Subscription(f"{ROOT}/{ORG}/+/#", retain_as_published=True),))
    heard_here = passing("here", (Subscription(f"{ROOT}/{ORG}/{UNIT_ID}/cmd/+/+", retain_as_published=True),))
    uplink = town.config.uplink
    as_unit = Endpoint.build(
        uplink.broker, ca_file=uplink.ca_file, cert_file=uplink.cert_file, key_file=uplink.key_file
    )
    async with (
        town,
        linked(town.endpoint, heard_there, on_message=ear),
        linked(as_unit, heard_here, on_message=ear),
    ):
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.control_room.close_alert(call.alert_id, Outcome.FALSE, "a child", "op-1")
        await town.control_room.unset_unit(ORG, UNIT_ID, "eng-1")
        await town.control_room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        town.unit.terminate()
        await town.unit.ended()
        await until(lambda: any(b'"stopped"' in said.payload for said in ear.heard), "the unit's good-bye is heard")
    heard = {contract.judge(said).name for said in ear.heard}
    assert heard >= {"status", "heartbeat", "alert", "incident", "ack", "command", "response"}
    assert {contract.channels[name].action for name in heard} == {"send", "receive"}
    ack = next(said for said in ear.heard if said.topic.endswith("/ack"))
    with pytest.raises(AssertionError, match="alertId"):  # the judge is no yes-man
        contract.judge(replace(ack, payload=json.dumps({**json.loads(ack.payload), "data": {}}).encode()))
    with pytest.raises(AssertionError, match="0 channels"):
        contract.judge(replace(ack, topic=f"{ROOT}/{ORG}/{UNIT_ID}/gossip"))
    with pytest.raises(AssertionError):
        contract.judge(replace(ack, retain=True))
