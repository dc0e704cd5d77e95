"""A unit driven by hand: real messages over a real link, and nothing behind them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent.clock import Moment, SystemClock
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.signals import Category, Tell
from agent.uplink import messages
from agent.uplink.client_mark import ClientMark
from agent.uplink.endpoint import Endpoint
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.messages import Answer, State
from agent.uplink.publication import Publication, Received, Subscription
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import check
from tests.alongside import alongside
from tests.uplink.lab import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent.life import Life
    from fakes.authority import Authority
    from fakes.broker import Broker

SOON_S = 60.0
"""Far longer than anything here takes; only a failure ever waits this long."""
ORG = "street"


@dataclass(frozen=True)
class Town:
    """A running broker, and the authority that everybody on it trusts."""

    broker: Broker
    authority: Authority

    def endpoint(self, common_name: str) -> Endpoint:
        """The way to the broker for somebody with a certificate of this name."""
        files = self.authority.issue_client(common_name)
        url = self.broker.url
        return Endpoint.build(url, ca_file=files.ca_file, cert_file=files.cert_file, key_file=files.key_file)


class HandUnit:
    """Says what a unit says, when told to; hears what the control room says."""

    def __init__(self, town: Town, name: str, mark: ClientMark | None = None) -> None:
        self.settings = UnitSettings(id=name, org=ORG, name=f"Unit {name}", location="by the clock")
        uplink = UplinkSettings(broker="mqtt://nowhere", insecure_lab=True)  # of no use: the link is made by hand
        self.config = Config(profile="safe-point", unit=self.settings, uplink=uplink)
        self.topics = UnitTopics(ORG, name)
        self.answer = Answer.ACCEPTED
        self.later_answers: list[Answer] = []
        """What it says to each command after that."""
        """What it says to commands."""
        self.acks: list[dict[str, Any]] = []
        self.commands: list[str] = []
        self.clock = SystemClock()
        self.boot_id = "boot-1"
        self.life: Life | None = None
        """Which life of which installation it says it is; None: an old unit, which says nothing of it."""
        self._sequence = 0
        self._heard = asyncio.Event()
        subscriptions = (Subscription(self.topics.ack), Subscription(self.topics.commands))
        self._link = Link(
            town.endpoint(name),
            Manners(f"unit-{name}", subscriptions, mark=mark or ClientMark()),
            on_message=self._hear,
            will=lambda: self._status(State.LOST),
            birth=lambda: self._status(State.ONLINE),
        )

    @property
    def sessions(self) -> int:
        """How often its connection began."""
        return self._link.session

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[HandUnit]:
        """Be on the broker; leave it with a good-bye."""
        async with running(self._link):
            async with asyncio.timeout(SOON_S):
                await self._link.up()
            try:
                yield self
            finally:
                if self._link.connected:
                    await self._link.publish(self._status(State.STOPPED))

    @asynccontextmanager
    async def connected_until_it_dies(self) -> AsyncIterator[HandUnit]:
        """Be on the broker; leave it without a word."""
        async with alongside(self._link.run()):
            async with asyncio.timeout(SOON_S):
                await self._link.up()
            yield self

    def alert(self, revision: int = 1, alert_id: str = "A1", *, late: bool = False, **data: Any) -> Publication:  # noqa: ANN401
        """A revision of an alert, for `say`; further arguments are members of its data."""
        self._sequence += 1
        category = Category(data.pop("category", Category.HELP))
        basics = {
            "state": "active",
            "test": False,
            "severity": "Severe",
            "urgency": "Immediate",
            "certainty": "Observed",
            "headline": f"Help call, by the clock (r{revision})",
            "detections": [],
        }
        tell = Tell(alert_id, revision, category, self._now(), basics | data)
        message = messages.alert(self.config, tell, sequence=self._sequence, recorded=self._now(), attempt=1, late=late)
        check(message.kind, message.document)
        return message.publication()

    def heartbeat(self, **facts: object) -> Publication:
        """Proof of life, for `say`."""
        basics: dict[str, object] = {
            "state": "ok",
            "uptimeS": 1,
            "intervalS": 25,
            "sw": "1",
            "arm": "set",
            "faults": [],
            "outbox": {"pending": 0, "oldestAgeS": 0, "capacity": 1000},
        }
        if self.life is not None:
            basics["life"] = self.life.facts()
        message = messages.heartbeat(self.settings, self._now(), basics | facts)
        check(message.kind, message.document)
        return message.publication()

    async def say(self, *publications: Publication) -> None:
        """Publish; returns when the broker has it all."""
        for publication in publications:
            await self._link.publish(publication)

    async def heard(self, level: str, revision: int, alert_id: str = "A1") -> dict[str, Any]:
        """Wait for an acknowledgement of the control room, and return what it said."""

        def found() -> list[dict[str, Any]]:
            wanted = (level, revision, alert_id)
            return [ack for ack in self.acks if (ack["level"], ack["revision"], ack["alertId"]) == wanted]

        await self.until(found)
        return found()[0]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until what it heard makes this true."""
        async with asyncio.timeout(SOON_S):
            while not holds():
                await self._heard.wait()

    def _hear(self, received: Received) -> None:
        document = json.loads(received.payload)
        if received.topic == self.topics.ack:
            self.acks.append(document["data"])
        else:
            self.commands.append(document["data"]["command"])
            for answer in (self.answer, *self.later_answers):
                fails = answer in {Answer.REFUSED, Answer.FAILED}
                response = messages.response(
                    self.settings,
                    self._now(),
                    to=received.response_topic or "",
                    correlation_data=received.correlation_data,
                    command_id=document["id"],
                    name=document["data"]["command"],
                    answer=answer,
                    code="expired" if fails else None,
                    detail="too late" if fails else "as you wish",
                )
                self._link.send(response.publication())
        self._heard.set()
        self._heard = asyncio.Event()

    def _status(self, state: State) -> Publication:
        return messages.status(self.settings, self._now(), state, software="1", life=self.life).publication()

    def _now(self) -> Moment:
        return replace(self.clock.now(), boot_id=self.boot_id)
