"""From a native thread that must never wait to a loop that may: a bounded queue that loses loudly."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import TYPE_CHECKING, Generic, TypeVar

from agent.hw.kit import HardwareLost

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Intake(Generic[T]):
    """What a device delivers, in order, to one reader.

    Iterating yields items until `close`, and raises `HardwareLost` when the device failed or delivered nothing for
    `silent_after_s`: status flags and `active` stay good on a stream that is dead (io-lab section 1).
    """

    def __init__(self, what: str, capacity: int, silent_after_s: float) -> None:
        self._what = what
        self._capacity = capacity
        self._silent_after_s = silent_after_s
        self._items: deque[T] = deque()
        self._changed = Condition()
        self._failure: str | None = None
        self._closed = False

    def offer(self, item: T) -> bool:
        """Take an item at once; False when the reader is so far behind that it is lost."""
        with self._changed:
            if len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._changed.notify()
        return True

    def fail(self, reason: str) -> None:
        """The device is gone: what is queued is still read, then `HardwareLost` is raised."""
        with self._changed:
            self._failure = self._failure or reason
            self._changed.notify()

    def close(self) -> None:
        """End the iteration now; what is queued is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._failure or self._closed, self._silent_after_s)
                if self._closed:
                    return
                if not self._items:
                    reason = self._failure or f"gave nothing for {self._silent_after_s:g} s"
                    msg = f"{self._what} {reason}"
                    raise HardwareLost(msg)
                item = self._items.popleft()
            yield item
