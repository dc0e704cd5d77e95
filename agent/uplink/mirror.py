"""Keeps the mirror of events for video management systems up to date on the broker, as well as the link allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from agent.signals import FaultCleared, Faulted, ShowLight
from agent.uplink import onvif
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.topics import UnitTopics

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Action, Signal
    from agent.uplink.onvif import OnvifEvent
    from agent.uplink.publication import Publication, Receipt

log = structlog.get_logger()


class OnvifMirror:
    """Beside the alerts, and less than them: nothing here is kept over a lost connection, or sent again.

    One publication is on its way at a time, so that a help call never waits for more than that one.
    """

    def __init__(self, config: Config, send: Callable[[Publication], asyncio.Future[Receipt]], clock: Clock) -> None:
        """A mirror that shows a unit at rest.

        Args:
            config: What the unit has.
            send: Hands a publication to the link; it may raise `LinkDown`.
            clock: Tells when the unit began.
        """
        self._config = config
        self._send = send
        self._clock = clock
        self._prefix = UnitTopics(config.unit.org, config.unit.id).prefix
        self._faults: dict[str, set[tuple[str, str]]] = {}
        """By topic: the faults that stand. Two that are one to ONVIF end with the second."""
        self._properties = {event.local_topic: event for event in onvif.rest(config, clock.now())}
        """By topic: how everything is."""
        self._queue: dict[str, OnvifEvent] = {}
        """By topic, oldest first: what goes next. A newer event takes the place of one that has not gone yet."""
        self._on_its_way = False
        self._refused = False

    def take(self, signal: Signal) -> None:
        """Something happened on the unit."""
        for event in onvif.events_of(signal, self._config):
            if not event.is_property:
                self._publish(event)
            elif not self._still_fails(event.local_topic, signal):
                self._become(event)

    def act(self, actions: Iterable[Action]) -> None:
        """The unit did something."""
        for action in actions:
            if isinstance(action, ShowLight):
                self._become(onvif.lamp(action.pattern, self._clock.now().wall))

    def link_up(self) -> None:
        """Nobody knows what the broker missed, or kept from an earlier life: tell it how everything is."""
        self._queue |= self._properties
        self._send_next()

    def _become(self, event: OnvifEvent) -> None:
        """Note how something is, and tell it if that is new."""
        known = self._properties.get(event.local_topic)
        self._properties[event.local_topic] = event
        if known is None or known.data != event.data:
            self._publish(event)

    def _still_fails(self, topic: str, signal: Signal) -> bool:
        """Whether a restored fault leaves another one standing that has the same name there."""
        standing = self._faults.setdefault(topic, set())
        if isinstance(signal, Faulted):
            standing.add((signal.part, signal.code))
        elif isinstance(signal, FaultCleared):
            standing.discard((signal.part, signal.code))
            return bool(standing)
        return False

    def _publish(self, event: OnvifEvent) -> None:
        self._queue[event.local_topic] = event
        self._send_next()

    def _send_next(self) -> None:
        if self._on_its_way or not self._queue:
            return
        event = self._queue.pop(next(iter(self._queue)))
        try:
            receipt = self._send(event.publication(self._prefix))
        except LinkDown:
            self._queue.clear()  # the next connection tells how everything is by then
            return
        self._on_its_way = True
        receipt.add_done_callback(self._settled)

    def _settled(self, receipt: asyncio.Future[Receipt]) -> None:
        self._on_its_way = False
        error = None if receipt.cancelled() else receipt.exception()
        refused = isinstance(error, PublishRefused)
        if refused and not self._refused:
            log.warning("mirror_refused", reason=str(error))
        self._refused = refused
        self._send_next()
