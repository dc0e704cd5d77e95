"""One unit that is nothing but its uplink: it lives, and now and then it raises a test alert."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import agent
from agent.signals import AckLevel, Acknowledged, Category, Tell
from agent.uplink import messages
from agent.uplink.backoff import about_s
from agent.uplink.help_ids import new_alert_id
from agent.uplink.inbox import Inbox
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.messages import State
from agent.uplink.publication import LinkDown, PublishRefused, Subscription
from agent.uplink.topics import UnitTopics

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from agent.clock import Clock, Moment
    from agent.config.settings import Config
    from agent.fleet.tally import Tally
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.publication import Publication, Receipt, Received

GOODBYE_WITHIN_S: Final = 5.0
"""For the last status and for leaving: a broker that does not answer then is not waited for."""


@dataclass
class _Waiting:
    """An alert that no receiver has acknowledged."""

    tell: Tell
    sequence: int
    attempts: int = 0
    again: asyncio.TimerHandle | None = field(default=None, repr=False)


class FleetUnit:
    """A unit's birth, will, heartbeat and alerts, by the agent's own messages and links, without the rest of it.

    It is the uplink only, and of that not what keeps alerts: they wait in memory, with repetitions of its own, and not
    in the `Outbox` of a `Courier`. So what a fleet loses or does not lose is told of the broker, not of a real unit:
    that is what the storm of `./dev chaos` is for. A fleet sizes a broker, and has no power cuts.
    """

    def __init__(
        self, config: Config, endpoints: Sequence[Endpoint], clock: Clock, tally: Tally, rng: random.Random
    ) -> None:
        """A unit that is not connected yet. Build it on a running event loop.

        Args:
            config: Who it is, and how long it waits before it sends again.
            endpoints: The brokers; with several, a link to each, and alerts go over them in turn.
            clock: Stamps its messages.
            tally: Where it counts.
            rng: Where its chance comes from.
        """
        self._config = config
        self._clock = clock
        self._tally = tally
        self._rng = rng
        self._inbox = Inbox(config.unit)
        self._began = clock.now()
        self._waiting: dict[str, _Waiting] = {}
        self._sequence = 0
        self._soon = asyncio.Event()
        topics = UnitTopics(config.unit.org, config.unit.id)
        self._links = [
            Link(
                endpoint,
                Manners(
                    config.unit.id if number == 0 else f"{config.unit.id}-{number}",
                    (Subscription(topics.ack), Subscription(topics.commands, retain_as_published=True)),
                    keepalive_s=config.uplink.heartbeat_s,
                ),
                on_message=self._take,
                will=partial(self._status, State.LOST),
                birth=partial(self._status, State.ONLINE),
                on_change=self._link_changed,
                rng=rng,
            )
            for number, endpoint in enumerate(endpoints)
        ]

    async def run(self) -> None:
        """Live until `close`."""
        async with asyncio.TaskGroup() as work:
            beating = work.create_task(self._beat())
            async with asyncio.TaskGroup() as links:
                for link in self._links:
                    links.create_task(link.run())
            beating.cancel()

    async def close(self) -> None:
        """Say good-bye and leave every broker in order. Alerts that wait are sent no more."""
        for waiting in self._waiting.values():
            if waiting.again is not None:
                waiting.again.cancel()
        self._waiting.clear()
        for link in self._links:
            with contextlib.suppress(LinkDown, PublishRefused, TimeoutError):  # it is missed then, as any unit would be
                async with asyncio.timeout(GOODBYE_WITHIN_S):
                    await link.publish(self._status(State.STOPPED))
            await link.close()

    def raise_alert(self) -> None:
        """Raise a test alert, and send it again until a receiver has it."""
        self._tally.raised += 1
        self._sequence += 1
        now = self._clock.now()
        data = {
            "state": "closed",  # nobody at a real control room is asked to look at it
            "test": True,
            "severity": "Minor",
            "urgency": "Past",
            "certainty": "Observed",
            "headline": "Fleet simulation: test alert",
            "detections": [],
        }
        tell = Tell(new_alert_id(), 1, Category.TEST, now, data)
        waiting = self._waiting[tell.alert_id] = _Waiting(tell, self._sequence)
        self._send(waiting)

    def _send(self, waiting: _Waiting) -> None:
        """Send it over the next link that is up; if none is, when one comes up."""
        waiting.again = None
        up = [link for link in self._links if link.connected]
        if not up:
            return
        waiting.attempts += 1
        now = self._clock.now()
        late = waiting.attempts == 1 and self._age_s(waiting, now) > self._config.uplink.late_after_s
        message = messages.alert(
            self._config, waiting.tell, sequence=waiting.sequence, recorded=now, attempt=waiting.attempts, late=late
        )
        with contextlib.suppress(LinkDown):  # it broke this very moment: the resend below or the next link sees to it
            receipt = up[(waiting.attempts - 1) % len(up)].send(message.publication())
            receipt.add_done_callback(self._note_receipt)
            self._tally.sent += 1
        waits = self._config.uplink.resend_s
        wait_s = about_s(waits[min(waiting.attempts, len(waits)) - 1], self._rng)
        waiting.again = asyncio.get_running_loop().call_later(wait_s, self._send, waiting)

    def _note_receipt(self, receipt: asyncio.Future[Receipt]) -> None:
        if not receipt.cancelled() and isinstance(receipt.exception(), PublishRefused):
            self._tally.refused += 1

    def _take(self, received: Received) -> None:
        understood = self._inbox.read(received, self._clock.now())
        if not isinstance(understood, Acknowledged):
            self._tally.refused += 1  # no command is carried out: there is nothing here to do it
            return
        waiting = self._waiting.get(understood.alert_id)
        if waiting is None or understood.level is not AckLevel.RECEIVER or understood.revision != waiting.tell.revision:
            return  # an operator's word, one about another revision, or about what was sent twice
        del self._waiting[understood.alert_id]
        if waiting.again is not None:
            waiting.again.cancel()
        self._tally.acknowledged += 1
        self._tally.took_s.append(self._age_s(waiting, understood.at))

    def _link_changed(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        self._tally.connected += 1 if up else -1
        if not up:
            self._tally.lost += 1
            return
        self._tally.connections += 1
        self._soon.set()
        for waiting in self._waiting.values():
            if waiting.again is not None:
                waiting.again.cancel()
            self._send(waiting)

    async def _beat(self) -> None:
        """A heartbeat in each interval, and one when a link came up."""
        while True:
            try:
                async with asyncio.timeout(about_s(self._config.uplink.heartbeat_s, self._rng)):
                    await self._soon.wait()
            except TimeoutError:
                pass
            finally:
                self._soon.clear()
            for link in self._links:
                with contextlib.suppress(LinkDown):
                    link.send(self._heartbeat()).add_done_callback(self._note_beat)

    def _note_beat(self, receipt: asyncio.Future[Receipt]) -> None:
        if not receipt.cancelled() and receipt.exception() is None:
            self._tally.heartbeats += 1
        self._note_receipt(receipt)

    def _heartbeat(self) -> Publication:
        now = self._clock.now()
        facts = {
            "state": "ok",
            "uptimeS": round(now.monotonic_s - self._began.monotonic_s),
            "intervalS": self._config.uplink.heartbeat_s,
            "sw": agent.__version__,
            "arm": "unset",
            "faults": [],
            "outbox": {
                "pending": len(self._waiting),
                "oldestAgeS": max((self._age_s(waiting, now) for waiting in self._waiting.values()), default=0.0),
                "capacity": self._config.uplink.capacity,
                "dropped": 0,
                "lastSequence": self._sequence,
            },
        }
        return messages.heartbeat(self._config.unit, now, facts).publication()

    def _status(self, state: State) -> Publication:
        return messages.status(self._config.unit, self._clock.now(), state, software=agent.__version__).publication()

    @staticmethod
    def _age_s(waiting: _Waiting, now: Moment) -> float:
        return now.monotonic_s - waiting.tell.at.monotonic_s
