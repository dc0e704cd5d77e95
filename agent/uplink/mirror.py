"""Keeps the mirror of events for video management systems up to date on the broker, as well as the link allows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from agent.signals import FaultCleared, Faulted, ShowLight
from agent.uplink import onvif
from agent.uplink.publication import LinkDown
from agent.uplink.topics import UnitTopics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Action, Signal
    from agent.uplink.onvif import OnvifEvent
    from agent.uplink.publication import Publication


class OnvifMirror:
    """Beside the alerts, and less than them: nothing here is kept, sent again, or waited for."""

    def __init__(self, config: Config, send: Callable[[Publication], object], clock: Clock) -> None:
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
        self._properties: dict[str, OnvifEvent] = {}
        """By topic: how everything is."""
        for event in onvif.rest(config, clock.now().wall):
            self._properties[event.local_topic] = event

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
        for event in self._properties.values():
            self._publish(event)

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
        with contextlib.suppress(LinkDown):  # the next connection tells how everything is by then
            self._send(event.publication(self._prefix))
