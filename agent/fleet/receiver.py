"""A control room that is nothing but its receiver: it acknowledges every alert, and keeps none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from agent.signals import AckLevel
from agent.uplink import messages
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.messages import Kind
from agent.uplink.publication import LinkDown, Subscription
from agent.uplink.topics import ROOT, UnitTopics
from agent.uplink.validation import MessageInvalid, parse

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.publication import Received

MAX_PAYLOAD = 64 * 1024
"""Bytes; no alert comes near this."""


class FleetReceiver:
    """Says `receiver` to each alert of an organisation's units, for a sizing run without a control room."""

    def __init__(self, endpoint: Endpoint, name: str, org: str, clock: Clock) -> None:
        """A receiver that is not connected yet. Build it on a running event loop.

        Args:
            endpoint: The broker.
            name: Its client id: where the broker binds names to certificates, the name on its certificate.
            org: Whose units it answers.
            clock: Stamps its words.
        """
        self._name = name
        self._org = org
        self._clock = clock
        self.alerts = 0
        """Alerts that came, repetitions included."""
        self.refused = 0
        """Messages that were no alerts."""
        self._link = Link(
            endpoint,
            Manners(name, (Subscription(f"{ROOT}/{org}/+/alert/+"),), max_payload=MAX_PAYLOAD),
            on_message=self._take,
            on_change=self._hurry_back,
        )

    async def run(self) -> None:
        """Answer until `close`."""
        await self._link.run()

    async def up(self) -> None:
        """Wait until it is connected."""
        await self._link.up()

    async def close(self) -> None:
        """Leave in order."""
        await self._link.close()

    def _hurry_back(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        if not up:
            self._link.hurry()  # alerts wait for it

    def _take(self, received: Received) -> None:
        try:
            data = parse(Kind.ALERT, received.payload)["data"]
        except MessageInvalid:
            self.refused += 1
            return
        self.alerts += 1
        unit = UnitTopics(self._org, received.topic.split("/")[3])
        ack = messages.acknowledgement(
            unit,
            self._name,
            self._clock.now().wall,
            alert_id=data["alertId"],
            revision=data["revision"],
            level=AckLevel.RECEIVER,
        )
        with contextlib.suppress(LinkDown):  # the unit sends its alert again
            self._link.send(ack.publication())
