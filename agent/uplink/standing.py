"""How each open alert stands, kept by the broker for consoles that come later. It never delays an alert."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.uplink import messages
from agent.uplink.lanes import Lane
from agent.uplink.publication import LinkDown, PublishRefused

if TYPE_CHECKING:
    import asyncio

    from agent.config.settings import UnitSettings
    from agent.uplink.messages import Message
    from agent.uplink.paths import Paths
    from agent.uplink.publication import Receipt

log = structlog.get_logger()

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

    @property
    def waits(self) -> bool:
        """Whether the broker has yet to be given something."""
        return bool(self._waiting)

    def publish(self) -> None:
        """Publish what waits, as far as there is room."""
        while self._waiting and self._paths.free_for(Lane.REST):
            alert_id = next(iter(self._waiting))
            message = self._waiting[alert_id]
            try:
                receipt = self._paths.send(messages.standing(self._unit, message), Lane.REST)
            except LinkDown:
                return  # with the next connection
            del self._waiting[alert_id]
            receipt.add_done_callback(partial(self._answered, alert_id, message))

    def _answered(self, alert_id: str, message: Message, receipt: asyncio.Future[Receipt]) -> None:
        """The broker has it, or the connection died first: then it waits again, unless a newer one is on its way."""
        error = None if receipt.cancelled() else receipt.exception()
        if isinstance(error, PublishRefused):
            log.warning("standing_refused", alert_id=alert_id, reason=str(error))
        if not (receipt.cancelled() or isinstance(error, LinkDown)):
            return
        if self._highest.get(alert_id) == message.document["data"]["revision"]:
            self._waiting.setdefault(alert_id, message)
            self.publish()
