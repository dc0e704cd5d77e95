"""A unit's whole uplink, put together as `agent.unit` does it, and nothing else of the unit."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.signals import AckLevel, Acknowledged
from agent.uplink.courier import Courier
from agent.uplink.inbox import Inbox
from agent.uplink.manners import Manners
from agent.uplink.outbox import Outbox
from agent.uplink.paths import Paths
from agent.uplink.publication import Subscription
from agent.uplink.topics import UnitTopics
from tests.alongside import alongside
from tests.uplink.lab import Complaints, make_config, running, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from agent.clock import Clock
    from agent.signals import Category
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.path_watch import PathEvent
    from agent.uplink.publication import Received

CAPACITY = 10_000

SESSION_S = 3600
"""How long the broker keeps what comes for it while it is away."""


class SmallUnit:
    """Outbox, courier, paths and inbox."""

    def __init__(
        self,
        outbox: Outbox,
        endpoints: Mapping[str, Endpoint],
        clock: Clock,
        uplink: Mapping[str, Any],
        **manners: Any,  # noqa: ANN401
    ) -> None:
        self.clock = clock
        self.outbox = outbox
        self.complaints = Complaints()
        self.path_events: list[tuple[str, PathEvent]] = []
        self.config = make_config(**uplink)
        self._inbox = Inbox(self.config.unit)
        topics = UnitTopics(self.config.unit.org, self.config.unit.id)
        self.paths = Paths(
            endpoints,
            Manners(self.config.unit.id, (Subscription(topics.ack),), session_expiry_s=SESSION_S, **manners),
            on_message=self._hear,
            on_change=self._changed,
            on_event=lambda path, event, _: self.path_events.append((path, event)),
        )
        self.courier = Courier(
            self.config,
            outbox,
            self.paths,
            clock,
            on_trouble=self.complaints.trouble,
            on_over=self.complaints.end,
        )

    def raise_alert(self, alert_id: str, revision: int, category: Category, **data: object) -> None:
        """Something happens now."""
        self.courier.submit([tell(alert_id, revision, self.clock.now(), category, **data)])

    def _changed(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        if not up:
            self.courier.hurry()

    def _hear(self, received: Received) -> None:
        ack = self._inbox.read(received, self.clock.now())
        if isinstance(ack, Acknowledged) and ack.level is AckLevel.RECEIVER:
            self.courier.acknowledged(ack.alert_id, ack.revision)


@asynccontextmanager
async def small_unit(
    folder: Path,
    endpoints: Mapping[str, Endpoint],
    clock: Clock | None = None,
    uplink: Mapping[str, Any] | None = None,
    **manners: Any,  # noqa: ANN401
) -> AsyncIterator[SmallUnit]:
    """A unit that runs; its paths may be down."""
    clock = clock or SystemClock()
    complaints = Complaints()
    outbox = await Outbox.open(folder, CAPACITY, clock, on_trouble=complaints.trouble, on_over=complaints.end)
    unit = SmallUnit(outbox, endpoints, clock, uplink or {}, **manners)
    try:
        async with running(unit.paths), alongside(unit.courier.run()):
            yield unit
    finally:
        await outbox.close()
