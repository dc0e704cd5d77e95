"""How each open alert stands, kept by the broker for consoles that come later. It never delays an alert."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from agent.uplink import messages
from agent.uplink.lanes import Lane
from agent.uplink.publication import LinkDown

if TYPE_CHECKING:
    from agent.config.settings import UnitSettings
    from agent.uplink.messages import Message
    from agent.uplink.paths import Paths

REMEMBERED: Final = 10_000
"""Alerts, closed ones too: an old revision that is sent again must not make a closed alert stand open."""


class Standing:
    """Publishes the newest revision of each alert that the broker took, retained, when nothing more important waits."""

    def __init__(self, unit: UnitSettings, paths: Paths) -> None:
        self._unit = unit
        self._paths = paths
        self._highest: OrderedDict[str, int] = OrderedDict()
        """The revision of each alert that stands, or waits to."""
        self._waiting: dict[str, Message] = {}

    def take(self, message: Message) -> None:
        """The broker has this revision of an alert."""
        data = message.document["data"]
        alert_id, revision = data["alertId"], data["revision"]
        if revision < self._highest.get(alert_id, 0):
            return  # an old one, sent again
        self._highest[alert_id] = revision
        self._highest.move_to_end(alert_id)
        if len(self._highest) > REMEMBERED:
            self._highest.popitem(last=False)
        self._waiting.pop(alert_id, None)
        self._waiting[alert_id] = message
        self.publish()

    def publish(self) -> None:
        """Publish what waits, as far as there is room."""
        while self._waiting and self._paths.free_for(Lane.REST):
            alert_id = next(iter(self._waiting))
            message = self._waiting[alert_id]
            try:
                self._paths.send(messages.standing(self._unit, message), Lane.REST)
            except LinkDown:
                return  # with the next connection
            del self._waiting[alert_id]
