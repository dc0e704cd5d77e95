"""A unit with two ways to the control room, each a network that can be cut."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.uplink.chaos.rough_network import RoughNetwork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.control_room.room import ControlRoom
    from fakes.town import Town


@asynccontextmanager
async def two_ways(town: Town, **uplink: Any) -> AsyncIterator[RoughNetwork]:  # noqa: ANN401 - of a YAML file
    """Build the town's unit anew with two ways, before the town begins; gives the first of them."""
    async with two_ways_of(town, **uplink) as (first, _):
        yield first


@asynccontextmanager
async def two_ways_of(
    town: Town,
    **uplink: Any,  # noqa: ANN401
) -> AsyncIterator[tuple[RoughNetwork, RoughNetwork]]:
    """As `two_ways`; gives both of them."""
    async with (
        RoughNetwork(town.broker.port, reads_mqtt=False) as first,
        RoughNetwork(town.broker.port, reads_mqtt=False) as second,
    ):
        alternate = {"broker": f"mqtts://localhost:{second.port}"}
        town.rebuild(uplink={"broker": f"mqtts://localhost:{first.port}", "alternate": alternate, **uplink})
        yield first, second


async def both_up(town: Town, within_s: float) -> None:
    """Wait until a heartbeat says that both work."""
    await town.control_room.wait_for(lambda room: _up(room) == {"primary": True, "alternate": True}, within_s)


def _up(room: ControlRoom) -> dict[str, bool]:
    """The paths of the only unit, as its last heartbeat said."""
    return {path["id"]: path["up"] for unit in room.desk.units.values() for path in unit.heartbeat.get("paths", ())}
