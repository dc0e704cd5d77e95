"""Where publications pass onto one connection, each when there is a place for its lane."""

from __future__ import annotations

import asyncio
import heapq
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from agent.uplink.lanes import Lane, Places
from agent.uplink.publication import LinkDown, Publication, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.connection import Connection


class Turnstile:
    """Belongs to one connection, from its opening to its end."""

    def __init__(
        self, connection: Connection, on_room: Callable[[], None], on_receipt: Callable[[Receipt], None]
    ) -> None:
        """A turnstile before a connection that is open.

        Args:
            connection: What lies behind it.
            on_room: Called when a place is free again, before what waits here is let through: somebody with a queue
                of his own has more important things in it.
            on_receipt: Hears of each publication that the broker took.
        """
        self._connection = connection
        self._on_room = on_room
        self._on_receipt = on_receipt
        self._loop = asyncio.get_running_loop()
        self._places = Places(connection.capacity)
        self._queue: list[tuple[Lane, int, Publication, asyncio.Future[Receipt]]] = []
        """A heap, by lane and number."""
        self._numbers = count()

    def free_for(self, lane: Lane) -> bool:
        """Whether a publication of this lane would pass at once."""
        return self._connection.is_open and self._places.free_for(lane)

    def send(self, publication: Publication, lane: Lane) -> asyncio.Future[Receipt]:
        """Let it pass, at once or as soon as there is a place.

        Raises:
            LinkDown: the connection is not open.
        """
        if self._places.free_for(lane) and not (self._queue and self._queue[0][0] <= lane):
            return self._let_pass(publication, lane)
        promised: asyncio.Future[Receipt] = self._loop.create_future()
        promised.add_done_callback(_hear_out)
        heapq.heappush(self._queue, (lane, next(self._numbers), publication, promised))
        return promised

    def close(self, reason: str) -> None:
        """The connection is over, and nothing passes any more."""
        queue, self._queue = self._queue, []
        for _, _, _, promised in queue:
            if not promised.done():
                promised.set_exception(LinkDown(reason))

    def _let_pass(self, publication: Publication, lane: Lane) -> asyncio.Future[Receipt]:
        sent_s = self._loop.time()
        receipt = self._connection.send(publication)
        self._places.take(lane)
        receipt.add_done_callback(partial(self._answered, lane, sent_s))
        return receipt

    def _answered(self, lane: Lane, sent_s: float, receipt: asyncio.Future[Receipt]) -> None:
        self._places.give_back(lane, sent_s, self._loop.time())
        if not receipt.cancelled() and receipt.exception() is None:
            self._on_receipt(receipt.result())
        if not self._connection.is_open:
            return
        self._on_room()
        while self._queue and self._places.free_for(self._queue[0][0]):
            lane, _, publication, promised = heapq.heappop(self._queue)
            if promised.done():  # whoever wanted it was cancelled
                continue
            try:
                self._let_pass(publication, lane).add_done_callback(partial(_pass_on, promised))
            except LinkDown as down:
                promised.set_exception(down)
                return


def _pass_on(promised: asyncio.Future[Receipt], receipt: asyncio.Future[Receipt]) -> None:
    """What the connection says is what was promised."""
    if promised.done():
        return
    if receipt.cancelled():
        promised.cancel()
    elif error := receipt.exception():
        promised.set_exception(error)
    else:
        promised.set_result(receipt.result())


def _hear_out(promised: asyncio.Future[Receipt]) -> None:
    """Whoever sends without waiting does not want to hear of it; asyncio would complain for him."""
    if not promised.cancelled():
        promised.exception()
