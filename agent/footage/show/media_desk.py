"""Where stills and clips are ordered: each is made once the footage it needs is on the disk."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.helpers.messages import Event

T = TypeVar("T")

PATIENCE_S = 5.0
"""How long after its time an order still waits for footage. A camera that stalls is noticed after 2 s and may be back
2 s later; somebody who called for help is better served by what there is than by a longer wait."""


@dataclass(frozen=True)
class _Order(Generic[T]):
    alert_id: str
    until_s: float
    """The moment up to which it needs footage."""
    request: T


class MediaDesk(Generic[T]):
    """Makes one kind of media, one after the other, in a thread that the recording never waits for."""

    def __init__(self, make: Callable[[T], Event], answer: Callable[[Event], None]) -> None:
        self._make = make
        self._answer = answer
        self._orders: dict[str, _Order[T]] = {}
        self._on_disk_s = 0.0
        self._closed = False
        self._changed = threading.Condition()

    def order(self, alert_id: str, until_s: float, request: T) -> None:
        """Take an order; a newer one for the same alert replaces one that has not begun."""
        with self._changed:
            self._orders[alert_id] = _Order(alert_id, until_s, request)
            self._changed.notify()

    def footage_reached(self, moment_s: float) -> None:
        """Footage up to this moment can be read from the disk."""
        with self._changed:
            self._on_disk_s = moment_s
            if any(order.until_s <= moment_s for order in self._orders.values()):
                self._changed.notify()

    def work(self) -> None:
        """Make what is ordered until closed; blocks, in a thread of its own."""
        while (order := self._next()) is not None:
            self._answer(self._make(order.request))

    def close(self) -> None:
        """`work` ends after what it is making; open orders are left, the daemon asks the next process again."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _next(self) -> _Order[T] | None:
        """Wait for the first order that has its footage or has waited long enough."""
        with self._changed:
            while not self._closed:
                now_s = time.monotonic()
                ordered = sorted(self._orders.values(), key=lambda order: order.until_s)
                if ordered and (ordered[0].until_s <= self._on_disk_s or ordered[0].until_s + PATIENCE_S <= now_s):
                    return self._orders.pop(ordered[0].alert_id)
                self._changed.wait(ordered[0].until_s + PATIENCE_S - now_s if ordered else None)
        return None
