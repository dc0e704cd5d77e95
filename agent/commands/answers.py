"""Says to the control room how its commands stand; what cannot be said now is said while it is still of use."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import structlog

from agent.signals import Answer
from agent.uplink import messages
from agent.uplink.publication import LinkDown
from agent.uplink.topics import RESPONSE_EXPIRY_S

if TYPE_CHECKING:
    import asyncio

    from agent.clock import Clock
    from agent.commands.ledger import Entry
    from agent.config.settings import UnitSettings
    from agent.uplink.inbox import Refusal
    from agent.uplink.link import Link
    from agent.uplink.messages import Message
    from agent.uplink.paths import Paths
    from agent.uplink.publication import Receipt

log = structlog.get_logger()

UNSENT: Final = 1000
"""Answers that wait for the link; they are good for a minute. When a link breaks, as many are on their way."""


class Answers:
    """Of one unit. All of it returns at once."""

    def __init__(self, unit: UnitSettings, clock: Clock, link: Link | Paths) -> None:
        self._unit = unit
        self._clock = clock
        self._link = link
        self._unsent: deque[tuple[float, Message]] = deque(maxlen=UNSENT)

    def give(self, entry: Entry) -> None:
        """Tell whoever gave a command how it stands, if he wants to know."""
        if entry.reply_topic is None:
            return
        self._send(
            messages.response(
                self._unit,
                self._clock.now(),
                to=entry.reply_topic,
                correlation_data=entry.correlation,
                command_id=entry.command_id,
                name=entry.name,
                answer=entry.answer,
                code=entry.why,
                detail=entry.text,
                result=entry.result,
            )
        )

    def refuse(self, refusal: Refusal) -> None:
        """Tell whoever sent a message why nothing follows from it, if he wants to know."""
        if refusal.reply is None:
            return
        self._send(
            messages.response(
                self._unit,
                self._clock.now(),
                to=refusal.reply.topic,
                correlation_data=refusal.reply.correlation,
                command_id=(refusal.said or {}).get("id"),
                name=refusal.name,
                answer=Answer.REFUSED,
                code=refusal.why,
                detail=refusal.text[:1024],
            )
        )

    def link_up(self) -> None:
        """What could not be said is said now, as far as it is still of use."""
        unsent, self._unsent = self._unsent, deque(maxlen=UNSENT)
        for since_s, message in unsent:
            if self._clock.now().monotonic_s - since_s < RESPONSE_EXPIRY_S:
                self._send(message, since_s)

    def _send(self, message: Message, since_s: float | None = None) -> None:
        since_s = self._clock.now().monotonic_s if since_s is None else since_s
        try:
            sent = self._link.send(message.publication())
        except LinkDown:
            self._unsent.append((since_s, message))
            return
        sent.add_done_callback(lambda sent: self._sent(sent, message, since_s))

    def _sent(self, sent: asyncio.Future[Receipt], message: Message, since_s: float) -> None:
        error = None if sent.cancelled() else sent.exception()
        if isinstance(error, LinkDown):
            # It may have arrived: an answer twice is no harm.
            if self._link.connected and self._clock.now().monotonic_s - since_s < RESPONSE_EXPIRY_S:
                self._send(message, since_s)  # another path is up: no new connection would come to send it
            else:
                self._unsent.append((since_s, message))
        elif error is not None:
            log.warning("answer_not_sent", topic=message.topic, reason=str(error))
