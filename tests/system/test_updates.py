"""What became of an update reaches the control room from a unit at work, as an alert that ends and in the heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.signals import Category
from agent.update.standing import Result, StandingFile
from fakes.town import LIMIT_S, Town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.control_room.room import ControlRoom


def last(result: str) -> Callable[[ControlRoom], dict[str, Any] | None]:
    """What the heartbeat says of the last bundle, once it is this."""

    def look(room: ControlRoom) -> dict[str, Any] | None:
        told = (unit.heartbeat.get("update", {}).get("last", {}) for unit in room.desk.units.values())
        return next((dict(each) for each in told if each.get("result") == result), None)

    return look


async def test_a_version_that_was_taken_back_is_an_alert_until_the_next_one_is_taken(
    town_with: Callable[..., Town], folder: Path
) -> None:
    state = folder / "updates"
    state.mkdir()
    file = StandingFile(state, datetime.now(UTC))
    file.ended(Result.TAKEN_BACK, "new.update", "7.0.0", "it was not armed within 45 s", datetime.now(UTC))
    async with town_with(uplink={"heartbeat_s": 1.0}, update={"folder": str(state)}) as town:
        await town.start_unit()
        fault = await town.alert(Category.FAULT)
        assert "Version 7.0.0 was tried and did not stay" in str(fault.latest.data)
        assert (await town.control_room.wait_for(last("taken-back"), LIMIT_S))["version"] == "7.0.0"
        file.ended(Result.TAKEN, "newer.update", "7.0.1", "version 7.0.1 is in use", datetime.now(UTC))
        await town.control_room.wait_for(lambda _: fault.latest.data["state"] == "closed", LIMIT_S)
        await town.control_room.wait_for(last("taken"), LIMIT_S)
        assert town.control_room.refused == 0
