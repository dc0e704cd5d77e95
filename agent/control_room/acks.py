"""What this console says about alerts, and how the desk learns of it: once the broker has it.

That the unit has it as well is another thing: an operator's word is said again until it shows (`repeating`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agent.signals import AckLevel, Outcome
from agent.uplink.messages import Kind, Message, acknowledgement
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import MessageInvalid, check

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from agent.clock import Clock
    from agent.control_room.desk import Desk
    from agent.control_room.happenings import Happening, UnitKey
    from agent.control_room.reading import Reading
    from agent.control_room.repeating import Repeating
    from agent.uplink.link import Link
    from agent.uplink.publication import Receipt


NEEDS_CAUSE: Final = frozenset({Outcome.FALSE, Outcome.TEST})
"""Without its cause nobody learns from a false alert, and nobody can tell a test from a call that was clicked away."""


class AlertUnknown(LookupError):
    """No such alert is on the desk."""


class CauseMissing(MessageInvalid):
    """An alert was to be closed without saying why."""

    def __init__(self, alert_id: str, outcome: Outcome) -> None:
        what = "why it was false" if outcome is Outcome.FALSE else "what the test was"
        super().__init__(f"alert {alert_id} is not closed as {outcome}: say {what}")


class Acks:
    """Acknowledges alerts: as a machine by itself, as an operator when one says so."""

    def __init__(  # noqa: PLR0913 - it stands between desk, link and whoever listens
        self,
        desk: Desk,
        link: Link,
        client: str,
        clock: Clock,
        tell: Callable[[Iterable[Happening]], None],
        *,
        repeating: Repeating,
    ) -> None:
        self.unsent = 0
        """Receiver acknowledgements that the broker did not get. The unit sends such an alert again."""
        self._desk = desk
        self._link = link
        self._client = client
        self._clock = clock
        self._tell = tell
        self._repeating = repeating

    async def say(
        self,
        alert_id: str,
        level: AckLevel,
        operator_ref: str,
        revision: int | None = None,
        **words: Any,  # noqa: ANN401
    ) -> None:
        """Say what an operator thinks of an alert, as it stood with the revision that was looked at: else the newest.

        Raises:
            AlertUnknown: it is not on the desk.
            LinkDown: the broker did not get it.
            PublishRefused: the broker does not take it.
            MessageInvalid: too many words, or an outcome that is not an operator's to give.
        """
        alert = self._desk.alerts.get(alert_id)
        if alert is None:
            msg = f"no alert {alert_id} is on the desk"
            raise AlertUnknown(msg)
        meant = alert.latest.revision if revision is None else revision
        ack = self._build(alert.unit, alert_id, meant, level, operator_ref=operator_ref, **words)
        check(Kind.ACK, ack.document)
        await self._link.publish(ack.publication())
        self._said(alert.unit, ack)
        await self._repeating.give(alert.unit, ack.document)

    def receive(self, reading: Reading) -> None:
        """Say that a machine keeps this message, when it is an alert that the desk believes."""
        data = reading.document["data"]
        alert = self._desk.alerts.get(data["alertId"]) if reading.kind is Kind.ALERT else None
        if reading.kind is not Kind.ALERT or (alert is not None and alert.unit != reading.unit):
            return
        alert_id: str = data["alertId"]  # kept all the same when the desk has too many of this unit to show it still
        ack = self._build(reading.unit, alert_id, data["revision"], AckLevel.RECEIVER)
        try:
            receipt = self._link.send(ack.publication())
        except LinkDown:
            self.unsent += 1
            return
        receipt.add_done_callback(lambda receipt: self._settled(reading.unit, ack, receipt))

    def _settled(self, unit: UnitKey, ack: Message, receipt: asyncio.Future[Receipt]) -> None:
        error = None if receipt.cancelled() else receipt.exception()
        if error is None:
            self._said(unit, ack)
            return
        self.unsent += 1
        if isinstance(error, PublishRefused):
            self._tell([self._desk.refuse(f"our own acknowledgement: {error}", unit)])

    def _said(self, unit: UnitKey, ack: Message) -> None:
        self._tell(self._desk.acknowledgement(unit, ack.document, self._clock.now()))

    def _build(self, key: UnitKey, alert_id: str, revision: int, level: AckLevel, **words: Any) -> Message:  # noqa: ANN401
        unit, at = UnitTopics(key.org, key.unit), self._clock.now().wall
        return acknowledgement(unit, self._client, at, alert_id=alert_id, revision=revision, level=level, **words)
