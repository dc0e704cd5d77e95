"""The link to a broker that comes back by itself: for the unit and the control room alike."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Final

import structlog

from agent.uplink.backoff import about_s, full_jitter_s
from agent.uplink.connection import Connection
from agent.uplink.lanes import Lane
from agent.uplink.manners import Hooks, Manners
from agent.uplink.publication import LinkDown, Publication, PublishRefused, Receipt, Received
from agent.uplink.turnstile import Turnstile
from agent.uplink.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.endpoint import Endpoint

log = structlog.get_logger()

ACCEPTED_WITHIN_S: Final = 15.0
"""TCP and TLS handshake have 5 s each; a broker that then says nothing for as long again is not one."""
GONE_WITHIN_S: Final = 1.5
"""How long a connection's thread may take to end; one that hangs in a name look-up is left to the process's end."""
HURRY_S: Final = 1.0
"""The rest between attempts while somebody waits for help. Few units have a call open at a time, so this makes no wave
even when a whole town has lost its broker."""
STEADY_S: Final = 30.0
"""A connection that lived for this long was a good one: the next attempt comes quickly again."""


class Link:
    """Keeps one connection to the broker, and a new one when it is lost.

    `run` does the work; everything else may be called at any time from the event loop.
    """

    def __init__(  # noqa: PLR0913 - the two ends of the uplink differ in just these
        self,
        endpoint: Endpoint,
        manners: Manners,
        *,
        on_message: Callable[[Received], None],
        will: Callable[[], Publication] | None = None,
        birth: Callable[[], Publication] | None = None,
        on_change: Callable[[bool], None] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """A link that is down until `run`.

        Args:
            endpoint: The broker.
            manners: How to behave there.
            on_message: Takes what comes. It may raise: that is logged and counted, and the link lives on.
            will: Makes the last will of each connection.
            birth: Makes what is published first on each connection.
            on_change: Hears whether the link is up, on every change.
            rng: Where the jitter comes from.
        """
        self._endpoint = endpoint
        self._manners = manners
        self._on_message = on_message
        self._will = will
        self._birth = birth
        self._on_change = on_change
        self._rng = rng or random.SystemRandom()
        self._connection: Connection | None = None
        self._turnstile: Turnstile | None = None
        """The present connection's, while the link is up."""
        self._connected = asyncio.Event()
        self._turn = asyncio.Event()
        """Set by the next connection, and then replaced."""
        self._closing = asyncio.Event()
        self._hurried = asyncio.Event()
        self._finished = asyncio.Event()
        self._running = False
        self._failed = 0
        self.session = 0
        """How many connections there were: work that was begun on an earlier one has to begin again."""
        self.lost_s: float | None = None
        """When the last connection ended that was up, by the loop's clock."""
        self.refused = 0
        """Messages from the broker that were too large or malformed, and subscriptions that it refused."""
        self.mishandled = 0
        """Messages that `on_message` raised on."""
        self._wire = Wire()
        self.trouble: str | None = "it was not tried yet"
        """Why the link is down; None while it is up."""
        self.on_room: Callable[[], None] = _nobody_waits
        """Called when the connection has a place free again; whoever keeps a queue of his own sets it."""
        self.took_s: float | None = None
        """When the broker last took a publication, by the loop's clock."""
        self.proved_s: float | None = None
        """When it last took one that somebody listens for: this is what proves a way to a control room."""
        self.unheard_since_s: float | None = None
        """Since when, on this connection, it has nobody for what it takes; None: it has, or took nothing."""
        self.round_trip_s: float | None = None
        """How long it took to say so."""

    @property
    def connected(self) -> bool:
        """Whether publications can be sent now."""
        return self._connected.is_set() and self._connection is not None and self._connection.is_open

    @property
    def interface(self) -> str | None:
        """The network interface it is held to; None: it goes by the routing table."""
        return self._endpoint.interface

    @property
    def carried_bytes(self) -> int:
        """What its connections have carried, both ways, since it began."""
        return self._wire.carried_bytes

    async def up(self) -> None:
        """Wait until the link is up."""
        await self._connected.wait()

    async def session_after(self, session: int) -> int:
        """Wait for a connection later than this one, and return its number."""
        while self.session <= session:
            await self._turn.wait()
        return self.session

    def free_for(self, lane: Lane) -> bool:
        """Whether a publication of this lane would go at once."""
        return self._turnstile is not None and self._turnstile.free_for(lane)

    def send(self, publication: Publication, lane: Lane = Lane.TALK) -> asyncio.Future[Receipt]:
        """Hand a publication over: at once when there is a place for its lane, else as soon as there is.

        Publications of one lane leave in the order of these calls.

        Returns:
            The broker's receipt, to come; or `LinkDown` or `PublishRefused`. It may be left alone.

        Raises:
            LinkDown: the link is down.
        """
        if self._turnstile is None:  # until it is there the birth is to come first
            msg = f"the link is down: {self.trouble}"
            raise LinkDown(msg)
        return self._turnstile.send(publication, lane)

    async def publish(self, publication: Publication, lane: Lane = Lane.TALK) -> Receipt:
        """Publish, and wait until the broker has acknowledged it.

        Raises:
            LinkDown: there is no connection, or it died before.
            PublishRefused: the broker does not take it.
        """
        return await self.send(publication, lane)

    def hurry(self) -> None:
        """Somebody waits for help: end the present rest, and keep them short until the link is up."""
        self._hurried.set()

    def calm(self) -> None:
        """Nobody waits for this link: rest as usual between attempts."""
        self._hurried.clear()

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost, until `close`."""
        self._running = True
        self._finished.clear()
        try:
            while not self._closing.is_set():
                await self._live()
                await self._rest()
        finally:
            self._running = False
            self._finished.set()

    async def close(self) -> None:
        """Leave in order, without the last will; returns when `run` has ended."""
        self._closing.set()
        if self._running:
            await self._finished.wait()

    async def _live(self) -> None:
        """One connection, from its first packet to its last."""
        loop = asyncio.get_running_loop()
        will = self._will() if self._will is not None else None
        connection = Connection(
            self._endpoint, self._manners, will, Hooks(self._came_up, self._hand_over, self._refuse), self._wire
        )
        began_s = loop.time()
        self._connection = connection
        connection.start()
        try:
            await self._until(connection.opened, connection.ended, timeout_s=ACCEPTED_WITHIN_S)
            if connection.is_open:
                await self._until(connection.ended)
        finally:
            await self._see_off(connection)
            self._went_down(connection)
        self._failed = 0 if loop.time() - began_s >= STEADY_S else self._failed + 1

    async def _until(self, *events: asyncio.Event, timeout_s: float | None = None) -> None:
        """Wait for the first of these events, for `close`, or for the time to run out."""
        waits = [asyncio.ensure_future(event.wait()) for event in (*events, self._closing)]
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _see_off(self, connection: Connection) -> None:
        """See to it that the connection ends: in order when we are closing, else as in a crash, so the will tells."""
        if self._closing.is_set() and connection.is_open:
            connection.leave()
        elif not connection.ended.is_set():
            connection.abandon("the broker did not answer" if not connection.opened.is_set() else "it was dropped")
        try:
            async with asyncio.timeout(GONE_WITHIN_S):
                await connection.ended.wait()
        except TimeoutError:
            connection.abandon("it did not end by itself")
            log.warning("link_handshake_left_behind", broker=self._broker)

    async def _rest(self) -> None:
        """Wait before the next attempt; `close` ends the waiting, and so does `hurry` when it comes meanwhile."""
        if not self._hurried.is_set():
            await self._until(self._hurried, timeout_s=full_jitter_s(max(0, self._failed - 1), self._rng))
        if self._hurried.is_set():
            await self._until(timeout_s=about_s(HURRY_S, self._rng))

    def _came_up(self) -> None:
        connection = self._connection
        if connection is None or not connection.is_open:
            return  # given up meanwhile
        self._hurried.clear()
        turnstile = self._turnstile = Turnstile(connection, self._room, self._note_receipt)
        self.session += 1
        if self.unheard_since_s is not None:
            self.unheard_since_s = asyncio.get_running_loop().time()
        self._turn.set()
        self._turn = asyncio.Event()
        self.trouble = None
        self._connected.set()
        log.info("link_up", broker=self._broker, session=self.session)
        if self._birth is not None:
            with contextlib.suppress(LinkDown):  # it broke this very moment: the next connection has its own birth
                turnstile.send(self._birth(), Lane.TALK).add_done_callback(_report_birth)
        if self._on_change is not None:
            self._on_change(True)  # noqa: FBT003 - the one thing it says

    def _went_down(self, connection: Connection) -> None:
        was_up, told = self._connected.is_set(), self.trouble
        self._connected.clear()
        self._connection = None
        self.trouble = connection.reason
        turnstile, self._turnstile = self._turnstile, None
        if turnstile is not None:
            turnstile.close(connection.reason)
        if was_up:
            self.lost_s = asyncio.get_running_loop().time()
            log.warning("link_lost", broker=self._broker, reason=connection.reason)
            if self._on_change is not None:
                self._on_change(False)  # noqa: FBT003 - the one thing it says
        elif told != connection.reason and not self._closing.is_set():
            log.warning("link_unreachable", broker=self._broker, reason=connection.reason)

    def _room(self) -> None:
        self.on_room()

    def _note_receipt(self, receipt: Receipt) -> None:
        self.took_s, self.round_trip_s = asyncio.get_running_loop().time(), receipt.took_s
        if not receipt.nobody_listening:
            self.proved_s, self.unheard_since_s = self.took_s, None
        elif self.unheard_since_s is None:
            self.unheard_since_s = self.took_s

    def _hand_over(self, received: Received) -> None:
        try:
            self._on_message(received)
        except Exception:
            self.mishandled += 1
            log.exception("message_mishandled", topic=received.topic)

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        log.warning("link_refused", reason=reason)

    @property
    def _broker(self) -> str:
        return f"{self._endpoint.host}:{self._endpoint.port}"


def _report_birth(receipt: asyncio.Future[Receipt]) -> None:
    error = None if receipt.cancelled() else receipt.exception()
    if isinstance(error, PublishRefused):
        log.error("link_birth_refused", reason=str(error))  # a birth that LinkDown took comes with the next connection


def _nobody_waits() -> None:
    """Nobody keeps a queue of his own."""
