"""How incidents ended stands in the unit's audit for good: who said so, when, what it was and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.signals import AckLevel, Category, Outcome
from agent.uplink import messages
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S
from tests.commands.desk import whole
from tests.system.test_commands import DARK, TOPICS, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town


async def test_an_outcome_outlives_its_incident_and_one_without_a_cause_is_none(
    town_with: Callable[..., Town], folder: Path
) -> None:
    def records(what: str | None = None) -> list[dict[str, Any]]:
        lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
        said = [json.loads(line) for line in lines if line]
        data = [each["payload"]["data"] for each in said if each["topic"] == TOPICS.audit]
        return [each for each in data if what in {None, each["what"]}]

    async with town_with(lamp=DARK) as town:
        room = town.control_room
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)

        foreign = messages.acknowledgement(
            TOPICS,
            CONTROL_ROOM,
            SystemClock().now().wall,
            alert_id=call.alert_id,
            revision=1,
            level=AckLevel.CLOSED,
            operator_ref="op-9",
            outcome=Outcome.FALSE,
        )
        await publish(town, foreign.topic, [foreign.publication().payload])
        await room.wait_for(lambda _: records("refused"), LIMIT_S)
        assert records("refused")[0]["code"] == "invalid"
        assert call.latest.data["state"] != "closed", "nobody said why it was false"

        await room.close_alert(call.alert_id, Outcome.FALSE, "a child played", "op-1")
        await room.wait_for(lambda _: records("outcome"), LIMIT_S)
        town.unit.kill()
        await town.unit.ended()
        await town.start_unit()
        await room.wait_for(lambda _: len(records("began")) == 2, LIMIT_S)
        (ended,) = records("outcome")
        wanted = {
            "alertId": call.alert_id,
            "category": "help",
            "outcome": "false",
            "cause": "a child played",
            "operatorRef": "op-1",
        }
        assert {key: ended[key] for key in wanted} == wanted
        assert ended["at"] > call.first.data["opened"]
        assert whole(records()) == len(records())
        assert room.refused == 1, "the control room hears the foreign word too, and does not believe it either"
