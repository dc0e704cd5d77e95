"""Carries every alert to the control room: again and again, in order, until its receiver says that it has it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.uplink import messages
from agent.uplink.backoff import about_s
from agent.uplink.publication import LinkDown, PublishRefused, Receipt
from agent.uplink.validation import MessageInvalid, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.clock import Clock, Moment
    from agent.config.settings import Config
    from agent.signals import Remember, Tell
    from agent.uplink.entry import Entry, Key
    from agent.uplink.link import Link
    from agent.uplink.outbox import Outbox

log = structlog.get_logger()

WINDOW: Final = 16
"""Unacknowledged publications of a backlog. Four fewer than the link takes at a time: a new help call never queues."""
DISK_PATIENCE_S: Final = 2.0
"""An alert that is not urgent waits this long for the disk, then it goes out unstored: better told than kept."""

REFUSED: Final = "alerts-refused"
UNHEARD: Final = "nobody-listening"
INVALID: Final = "alert-invalid"


class Courier:
    """Between the outbox and the link.

    `run` does the resending; the rest may be called at any time from the event loop, and returns at once.
    """

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        config: Config,
        outbox: Outbox,
        link: Link,
        clock: Clock,
        *,
        on_trouble: Callable[[str, str], None],
        on_over: Callable[[str], None],
        rng: random.Random | None = None,
    ) -> None:
        """A courier that rests until `run`.

        Args:
            config: What alerts say of the unit, and how long to wait.
            outbox: What there is to carry.
            link: The way.
            clock: Tells how late an alert is.
            on_trouble: Hears a short code and a sentence when the broker refuses alerts or nobody listens, once.
            on_over: Hears the code again when that is over.
            rng: Where the jitter comes from.
        """
        self._config = config
        self._outbox = outbox
        self._link = link
        self._clock = clock
        self._on_trouble = on_trouble
        self._on_over = on_over
        self._rng = rng or random.SystemRandom()
        self._troubles: set[str] = set()
        self._ready: list[tuple[int, int, Entry]] = []
        """A heap, by priority and number: what goes as soon as the link takes it."""
        self._queued: set[Key] = set()
        """What lies in that heap."""
        self._later: list[tuple[float, int, int, Entry]] = []
        """A heap, by the loop's time, number and attempts so far: what goes then, if it was not sent meanwhile."""
        self._in_flight: set[Key] = set()
        self._standing: dict[str, int] = {}
        """The revision of each open alert that the broker keeps as its present state."""
        self._session = 0
        self._news = asyncio.Event()
        outbox.on_settled = self._settled
        self.last_edge_to_broker_s: float | None = None
        """From the event to the broker's acknowledgement, of the last alert that needed one attempt."""
        self.sent = 0
        """Publications of alerts, repetitions included."""
        self.delivered = 0
        """Alert revisions that the control room's receiver has."""

    def submit(self, tells: Iterable[Tell], remembers: Iterable[Remember] = ()) -> None:
        """Send these alerts, and keep them and these memories in one transaction.

        Urgent alerts are with the link when this returns, and meanwhile on their way to the disk.
        """
        loop = asyncio.get_running_loop()
        for entry in self._outbox.keep(tells, remembers):
            if entry.tell.urgent:
                # What its incident said before goes before it, stored or not.
                for earlier in self._outbox.of_alert(entry.tell.alert_id):
                    if earlier.attempts == 0:
                        self._make_ready(earlier)
            elif not entry.settled:  # one that is was made ready by `_settled`
                self._make_ready_later(loop.time() + DISK_PATIENCE_S, entry)
        self._dispatch()

    def acknowledged(self, alert_id: str, revision: int) -> int:
        """The control room's receiver has this revision, and with it all lower ones of the alert.

        Returns:
            How many revisions need not be carried any more because of this.
        """
        covered = self._outbox.delivered(alert_id, revision)
        self.delivered += len(covered)
        for entry in covered:
            log.info("alert_delivered", alert_id=alert_id, revision=entry.tell.revision, attempts=entry.attempts)
        return len(covered)

    @property
    def under_way(self) -> bool:
        """Whether the broker has yet to take an alert that the link was given."""
        return bool(self._in_flight)

    @property
    def pending(self) -> int:
        """Alert revisions that the control room's receiver does not have yet."""
        return len(self._outbox)

    def oldest_age_s(self, now: Moment) -> float:
        """How long ago the oldest of them happened; 0 when there is none."""
        return self._outbox.oldest_age_s(now)

    def hurry(self) -> None:
        """The link is down: while a help call waits it must not rest for long."""
        if any(entry.tell.urgent for entry in self._outbox.pending()):
            self._link.hurry()

    async def run(self) -> None:
        """Carry, and carry again, until cancelled."""
        if not self._link.connected:
            self.hurry()  # for what the last life left
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carry(), name="courier")
            group.create_task(self._follow_link(), name="courier-follows-link")

    async def _carry(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._link.up()
            while self._later and self._later[0][0] <= loop.time():
                _, _, attempts, entry = heapq.heappop(self._later)
                if entry.attempts == attempts:
                    self._make_ready(entry)
            self._dispatch()
            await self._wait(self._later[0][0] - loop.time() if self._later else None)

    async def _follow_link(self) -> None:
        session = 0
        while True:
            session = await self._link.session_after(session)
            self._news.set()

    async def _wait(self, timeout_s: float | None) -> None:
        """Wait for news or for this long."""
        self._news.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _begin_anew(self) -> None:
        """A new connection: everything that waits goes over it, in order. Nothing of the old one counts."""
        self._session = self._link.session
        self._in_flight.clear()
        self._later.clear()
        waiting = self._outbox.pending()
        self._queued = {entry.key for entry in waiting}
        self._ready = [(entry.priority, entry.sequence, entry) for entry in waiting]
        heapq.heapify(self._ready)

    def _settled(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.attempts == 0:
                self._make_ready(entry)
        self._dispatch()

    def _make_ready(self, entry: Entry) -> None:
        if entry.key not in self._queued:
            self._queued.add(entry.key)
            heapq.heappush(self._ready, (entry.priority, entry.sequence, entry))

    def _make_ready_later(self, at_s: float, entry: Entry) -> None:
        heapq.heappush(self._later, (at_s, entry.sequence, entry.attempts, entry))
        self._news.set()

    def _dispatch(self) -> None:
        """Hand over what is ready, as much as the link may hold."""
        if not self._link.connected:
            self.hurry()
            return
        if self._session != self._link.session:
            self._begin_anew()
        while self._ready:
            _, _, entry = self._ready[0]
            if not entry.tell.urgent and len(self._in_flight) >= WINDOW:
                return
            heapq.heappop(self._ready)
            self._queued.discard(entry.key)
            if not self._outbox.holds(entry) or entry.key in self._in_flight:
                continue
            try:
                self._send(entry)
            except LinkDown:
                self._make_ready(entry)
                return

    def _send(self, entry: Entry) -> None:
        """Hand one entry to the link.

        Raises:
            LinkDown: it did not take it.
        """
        now = self._clock.now()
        late = entry.late if entry.attempts else self._is_late(entry, now)
        message = messages.alert(
            self._config,
            entry.tell,
            sequence=entry.sequence,
            recorded=entry.recorded,
            attempt=entry.attempts + 1,
            late=late,
        )
        receipt = self._link.send(message.publication())
        self._in_flight.add(entry.key)
        receipt.add_done_callback(partial(self._handed_over, entry, self._session))
        # After the broker's answer: checking takes longer than all the rest of the way to the broker.
        receipt.add_done_callback(lambda _: self._check(message))
        receipt.add_done_callback(partial(self._let_stand, entry, message))
        self._outbox.sent(entry, late=late)
        self.sent += 1

    def _is_late(self, entry: Entry, now: Moment) -> bool:
        at = entry.tell.at
        # Of what happened in another boot only that much is certain: it waited for a whole power-up.
        return at.boot_id != now.boot_id or entry.age_s(now) > self._config.uplink.late_after_s

    def _check(self, message: messages.Message) -> None:
        """Hold our own message against the contract. It is sent either way: no call is lost over a schema."""
        try:
            check(message.kind, message.document)
        except MessageInvalid as invalid:
            log.warning("own_alert_invalid", id=message.document["id"], reason=str(invalid))
            self._trouble(INVALID, f"An alert broke the message contract and was sent all the same: {invalid}")

    def _handed_over(self, entry: Entry, session: int, receipt: asyncio.Future[Receipt]) -> None:
        """The broker answered, or the connection died first."""
        error = None if receipt.cancelled() else receipt.exception()
        if session != self._session:
            return  # everything was begun anew meanwhile
        self._in_flight.discard(entry.key)
        if receipt.cancelled() or isinstance(error, LinkDown):
            self._make_ready(entry)  # goes first thing on the next connection
            return
        if error is None:
            self._note_receipt(entry, receipt.result())
        elif isinstance(error, PublishRefused):
            self._trouble(REFUSED, f"The broker refuses this unit's alerts: {error}. They are kept and tried again.")
        else:
            log.error("alert_not_sent", alert_id=entry.tell.alert_id, reason=repr(error))
        waits = self._config.uplink.resend_s
        wait_s = waits[min(entry.attempts, len(waits)) - 1]
        self._make_ready_later(asyncio.get_running_loop().time() + about_s(wait_s, self._rng), entry)
        self._dispatch()

    def _let_stand(self, entry: Entry, message: messages.Message, receipt: asyncio.Future[Receipt]) -> None:
        """The broker has this revision: let it keep how the alert stands now, for consoles that come later."""
        alert_id, revision = entry.key
        if receipt.cancelled() or receipt.exception() or revision < self._standing.get(alert_id, 0):
            return  # with the next revision, or the next attempt; or it is an old one, sent again
        self._standing[alert_id] = revision
        with contextlib.suppress(LinkDown):  # then with the next one
            self._link.send(messages.standing(self._config.unit, message))
        if message.document["data"]["state"] == messages.CLOSED:
            del self._standing[alert_id]

    def _note_receipt(self, entry: Entry, receipt: Receipt) -> None:
        edge_to_broker_s = entry.age_s(self._clock.now())
        if entry.attempts == 1 and not entry.late:
            self.last_edge_to_broker_s = edge_to_broker_s
        log.info(
            "alert_sent",
            alert_id=entry.tell.alert_id,
            revision=entry.tell.revision,
            attempt=entry.attempts,
            late=entry.late,
            edge_to_broker_ms=round(edge_to_broker_s * 1000, 2),
        )
        self._over(REFUSED)
        if receipt.nobody_listening:
            self._trouble(UNHEARD, "The broker has nobody who listens to this unit's alerts: no control room.")
        else:
            self._over(UNHEARD)

    def _trouble(self, code: str, text: str) -> None:
        if code not in self._troubles:
            self._troubles.add(code)
            log.warning("courier_in_trouble", code=code, reason=text)
            self._on_trouble(code, text)

    def _over(self, code: str) -> None:
        if code in self._troubles:
            self._troubles.discard(code)
            log.info("courier_out_of_trouble", code=code)
            self._on_over(code)
