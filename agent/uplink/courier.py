"""Carries every alert to the control room: again and again, in order, until its receiver says that it has it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.uplink import messages
from agent.uplink.alert_troubles import AlertTroubles
from agent.uplink.in_flight import HEDGE_S, InFlight
from agent.uplink.in_order import InOrder
from agent.uplink.lanes import Lane, lane_of
from agent.uplink.publication import LinkDown, PublishRefused, Receipt
from agent.uplink.ready import Queue, Ready
from agent.uplink.resends import Resends
from agent.uplink.standing import Standing
from agent.uplink.validation import MessageInvalid, check
from agent.uplink.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.clock import Clock, Moment
    from agent.config.settings import Config
    from agent.signals import Remember, Tell
    from agent.uplink.entry import Entry
    from agent.uplink.outbox import Outbox
    from agent.uplink.paths import Paths

log = structlog.get_logger()

DISK_PATIENCE_S: Final = 2.0
"""An alert that is not urgent waits this long for the disk, then it goes out unstored: better told than kept."""
LOOK_PAST: Final = 32
"""Revisions that wait for a lower one of their own alert, past which others may go: looking at a whole backlog for each
acknowledgement would take longer than what it wins."""


class Courier:
    """Between the outbox and the paths.

    `run` does the resending; the rest may be called at any time from the event loop, and returns at once.
    """

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        config: Config,
        outbox: Outbox,
        paths: Paths,
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
            paths: The ways.
            clock: Tells how late an alert is.
            on_trouble: Hears a short code and a sentence when the broker refuses alerts or nobody listens, once.
            on_over: Hears the code again when that is over.
            rng: Where the jitter comes from.
        """
        self._config = config
        self._outbox = outbox
        self._paths = paths
        self._clock = clock
        self._troubles = AlertTroubles(on_trouble, on_over)
        self._ready = Ready()
        self._resends = Resends(config.uplink.resend_s, rng or random.SystemRandom(), outbox.holds)
        self._standing = Standing(config.unit, paths, outbox)
        self._in_flight = InFlight(min(HEDGE_S, config.uplink.resend_s[0]))
        self._in_order = InOrder()
        self._window = Window()
        self._session = 0
        self._news = asyncio.Event()
        outbox.on_settled = self._settled
        outbox.on_found = self._found
        paths.on_room = self._dispatch
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
                self._ready.add(entry)
            elif not entry.settled:  # one that is was made ready by `_settled`
                self._resends.later(entry, loop.time() + DISK_PATIENCE_S)
                self._news.set()
        self._dispatch()

    def acknowledged(self, alert_id: str, revision: int) -> bool:
        """The control room's receiver has this revision.

        Returns:
            Whether it need not be carried any more because of this.
        """
        now_s = self._now_s
        entry = self._outbox.delivered(alert_id, revision)
        self._resends.answered(now_s)
        self._news.set()
        if entry is None:
            return False
        self.delivered += 1
        if not self._outbox.holds_help:
            self._paths.calm()
        self._in_order.forget(entry)
        self._window.answered(entry, now_s)
        log.info("alert_delivered", alert_id=alert_id, revision=revision, attempts=entry.attempts)
        return True

    @property
    def under_way(self) -> bool:
        """Whether the broker has yet to take an alert that the link was given."""
        return self._in_flight.untaken

    @property
    def silent_paths(self) -> frozenset[str]:
        """Paths that are up and say nothing, as a help call found out: what comes next had better not go there."""
        return self._in_flight.silent

    @property
    def pending(self) -> int:
        """Alert revisions that the control room's receiver does not have yet."""
        return len(self._outbox)

    def oldest_age_s(self, now: Moment) -> float:
        """How long ago the oldest of them happened; 0 when there is none."""
        return self._outbox.oldest_age_s(now)

    def hurry(self) -> None:
        """While a help call waits and no path is up, none of them must rest for long."""
        if not self._paths.connected and self._outbox.holds_help:
            self._paths.hurry()

    async def run(self) -> None:
        """Carry, and carry again, until cancelled."""
        self.hurry()  # for what the last life left
        self._standing.recall()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carry(), name="courier")
            group.create_task(self._follow_link(), name="courier-follows-link")

    async def _carry(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._paths.up()
            self._begin_anew_if_new()
            for entry in self._resends.due(loop.time()):
                self._ready.add(entry)
            self._dispatch()
            for entry in self._in_flight.overdue(loop.time()):
                self._send_beside(entry)
            news_s = (self._resends.next_s, self._in_flight.next_s, self._window.next_s(loop.time()))
            next_s = min(filter(None, news_s), default=None)
            await self._wait(None if next_s is None else next_s - loop.time())

    async def _follow_link(self) -> None:
        session = 0
        while True:
            session = await self._paths.session_after(session)
            self._news.set()

    async def _wait(self, timeout_s: float | None) -> None:
        """Wait for news or for this long."""
        self._news.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _begin_anew_if_new(self) -> None:
        """A new connection: everything that waits goes once more, in order. What was sent before may be lost."""
        if self._session == self._paths.session:
            return
        self._session = self._paths.session
        self._in_order.begin_anew()
        self._window.begin_anew()
        self._resends.begin_anew(self._now_s)
        self._ready.replace(entry for entry in self._outbox.pending() if not self._resends.rests(entry))

    def _settled(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.attempts == 0:
                self._ready.add(entry)
        self._dispatch()

    def _found(self, entries: Sequence[Entry]) -> None:
        """The disk came late and held these: on this connection they were never sent, however often before."""
        self._standing.recall()
        for entry in entries:
            if self._outbox.holds(entry):
                self._ready.add(entry)
        self._dispatch()

    def _dispatch(self) -> None:
        """Hand over what is ready, as much as the paths have places for."""
        if not self._paths.connected:
            self.hurry()
            return
        self._begin_anew_if_new()
        for entry in self._in_flight.stranded:
            self._send_beside(entry)
        all_went = True
        for queue in Queue:
            went = self._dispatch_from(queue)
            # Old calls wait for a console's answer, which may never come.
            if not went and not (queue is Queue.OLD_CALLS and self._window.old_calls_unanswered(self._now_s)):
                return
            all_went = all_went and went
        if all_went:
            self._standing.publish()

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _dispatch_from(self, queue: Queue) -> bool:
        """Hand over what is ready of one queue; whether all of it could go."""
        aside: list[Entry] = []
        while len(aside) <= LOOK_PAST and (entry := self._ready.first(queue)) is not None:
            if not self._outbox.holds(entry) or entry.key in self._in_flight:
                self._ready.take_first(queue)
                if self._in_flight.taken(entry.key) and self._outbox.holds(entry):
                    self._send_beside(entry)  # its repetition is due, and one path still says nothing
                continue
            first = self._first_owed(entry)
            if self._in_flight.holds_up(first):
                aside.append(self._ready.take_first(queue))  # it waits for its own alert only
                continue
            path = self._choose(first)
            if path is None or not self._window.lets_pass(first, self._now_s):
                break
            try:
                self._send(first, path)
            except LinkDown:
                break
            if first is not entry:
                self._in_order.went_before(first, entry)
        for entry in aside:
            self._ready.add(entry)
        return self._ready.first(queue) is None

    def _choose(self, entry: Entry) -> str | None:
        """The path for its next attempt: none that has it, and none known to be silent while there is another."""
        attempt, lane = entry.attempts + 1, lane_of(entry.tell.category)
        silent, has_it = self._in_flight.silent, self._in_flight.paths_of(entry.key)
        path = self._paths.choose(attempt, lane, besides=silent | has_it) if silent else None
        return path or self._paths.choose(attempt, lane, besides=has_it)

    def _send_beside(self, entry: Entry) -> None:
        """A path has an alert and its broker says nothing: send it over another one that is up."""
        silent = self._in_flight.paths_of(entry.key)
        path = self._paths.choose(entry.attempts + 1, lane_of(entry.tell.category), besides=silent)
        if path is None or not self._outbox.holds(entry):
            return
        log.warning("alert_sent_beside", alert_id=entry.tell.alert_id, silent=sorted(silent), path=path)
        with contextlib.suppress(LinkDown):  # it is looked at again while the first path is silent
            self._send(entry, path)

    def _first_owed(self, entry: Entry) -> Entry:
        """What has to go next so that the revisions of this entry's alert come in order: a lower one, or itself."""
        now_s = self._now_s
        for lower in self._outbox.of_alert(entry.tell.alert_id):
            if lower.tell.revision >= entry.tell.revision:
                break
            waits_for_a_broker = lower.key in self._in_flight and not self._in_flight.taken(lower.key)
            if waits_for_a_broker or self._resends.rests(lower):
                continue
            if self._in_order.goes_first(lower, entry, now_s):
                return lower
        return entry

    def _send(self, entry: Entry, path: str) -> None:
        """Hand one entry to a path.

        Raises:
            LinkDown: it did not take it.
        """
        attempt = entry.attempts + 1
        late = entry.would_be_late(self._clock.now(), self._config.uplink.late_after_s)
        message = messages.alert(
            self._config,
            entry.tell,
            sequence=entry.sequence,
            recorded=entry.recorded,
            attempt=attempt,
            late=late,
            path=path,
            copy_lives_s=self._resends.copy_lives_s(attempt),
        )
        receipt = self._paths.send(message.publication(), lane_of(entry.tell.category), path)
        now_s = self._now_s
        self._in_flight.left(entry, path, now_s, again=self._in_order.was_heard(entry))
        self._in_order.sent(entry, now_s)
        self._window.sent(entry, now_s)
        self._news.set()  # `_carry` looks whether it waits too long
        receipt.add_done_callback(partial(self._handed_over, entry, path))
        # After the broker's answer: checking takes longer than all the rest of the way to the broker.
        receipt.add_done_callback(lambda _: self._check(message))
        receipt.add_done_callback(partial(self._let_stand, message))
        self._outbox.sent(entry, late=late)
        self.sent += 1

    def _check(self, message: messages.Message) -> None:
        """Hold our own message against the contract. It is sent either way: no call is lost over a schema."""
        try:
            check(message.kind, message.document)
        except MessageInvalid as invalid:
            log.warning("own_alert_invalid", id=message.document["id"], reason=str(invalid))
            self._troubles.invalid(invalid)

    def _handed_over(self, entry: Entry, path: str, receipt: asyncio.Future[Receipt]) -> None:
        """The broker answered, or the connection died first."""
        error = None if receipt.cancelled() else receipt.exception()
        lost = receipt.cancelled() or isinstance(error, LinkDown)
        self._in_flight.ended(entry, path, taken=not lost)
        if lost and entry.key in self._in_flight:
            pass  # the other path has it
        elif lost:
            self._in_order.forget(entry)
            self._ready.add(entry)  # goes first thing, over the other path or on the next connection
        else:
            heard = self._note_answer(entry, receipt, error)
            if self._outbox.holds(entry):
                self._plan(entry, heard=heard)
        self._dispatch()

    def _note_answer(self, entry: Entry, receipt: asyncio.Future[Receipt], error: BaseException | None) -> bool:
        """Report what the broker said; returns whether anybody listens."""
        if error is None:
            self._note_receipt(entry, receipt.result())
            return not receipt.result().nobody_listening
        if isinstance(error, PublishRefused):
            self._troubles.refused(error)
        else:
            log.error("alert_not_sent", alert_id=entry.tell.alert_id, reason=repr(error))
        return False

    def _plan(self, entry: Entry, *, heard: bool) -> None:
        if not heard:
            self._in_order.unheard(entry)
        if entry.key in self._ready:
            return  # it goes again anyway
        help_call = lane_of(entry.tell.category) is Lane.HELP
        first_of_help = help_call and self._outbox.of_alert(entry.tell.alert_id)[0] is entry
        now_s = self._now_s
        self._resends.after(entry, now_s, first_of_help=first_of_help, heard=heard)
        self._news.set()

    def _let_stand(self, message: messages.Message, receipt: asyncio.Future[Receipt]) -> None:
        if not receipt.cancelled() and receipt.exception() is None:
            self._standing.take(message)

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
        self._troubles.taken(receipt)
