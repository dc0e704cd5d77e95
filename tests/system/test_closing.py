"""What an operator says reaches the unit, however long it is away."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from agent.control_room.happenings import UnitKey
from agent.control_room.units import UnitState
from agent.signals import Category, Outcome
from agent.uplink import topics
from fakes.town import LIMIT_S, ORG, UNIT_ID
from tests.system.test_commands import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from fakes.town import Town

EXPIRY_S = 1


async def test_a_unit_that_was_away_for_longer_than_an_acknowledgement_lives_learns_that_its_call_is_closed(
    town_with: Callable[..., Town], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "ACK_EXPIRY_S", EXPIRY_S)

    def words() -> list[str]:
        lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
        said = [json.loads(line) for line in lines if line]
        acks = [each["payload"] for each in said if each["topic"] == TOPICS.ack]
        return [ack["id"] for ack in acks if ack["data"]["level"] == "closed"]

    async with town_with() as town:
        room = town.control_room
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        town.unit.kill()
        await town.unit.ended()
        await room.wait_for(lambda room: room.desk.units[UnitKey(ORG, UNIT_ID)].state is UnitState.LOST, LIMIT_S)
        await room.close_alert(call.alert_id, Outcome.FALSE, "a child", "op-1")
        assert (call.closed, call.untold) == (True, True)
        await asyncio.sleep(2 * EXPIRY_S)  # the time itself is what matters: the broker's copy is over
        await town.start_unit()
        await room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        assert call.latest.data["outcome"] == {"code": "false", "cause": "a child", "by": "op-1"}
        assert not call.untold
        await room.wait_for(lambda _: len(words()) > 1, LIMIT_S)
        assert len({*words()}) == 1, "the same word each time"


async def test_a_unit_tells_that_somebody_looks(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        await town.control_room.acknowledge(call.alert_id, "op-1")
        await town.control_room.wait_for(lambda _: call.latest.data["operator"]["ref"] == "op-1", LIMIT_S)
        assert not call.untold
