"""How long a server may take for its turn: for the whole of an answer, however it drips."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Patience:
    """Watches one request from a thread of its own, since the one that asks is blocked in the socket meanwhile.

    The time that a socket allows is for each read: a server that sends a byte now and then would hold it for ever.
    """

    def __init__(self, within_s: float, end: Callable[[], None]) -> None:
        """Patience that begins with `with`.

        Args:
            within_s: How long the server may take to take a block, or to answer in full.
            end: Ends the request; called in the thread that watches.
        """
        self._within_s = within_s
        self._end = end
        self._changed = threading.Condition()
        self._since_s: float | None = time.monotonic()
        """Since when it is the server's turn, on the monotonic clock; None: it is ours."""
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="upload-patience", daemon=True)
        self.lost = False
        """It took too long, and the request was ended."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join()

    def around(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """These blocks; while the next one is waited for, nothing is held against the server."""
        waiting = iter(blocks)
        while True:
            self._turn(None)
            try:
                block = next(waiting, None)
            finally:
                self._turn(time.monotonic())
            if block is None:
                return
            yield block

    def _turn(self, since_s: float | None) -> None:
        with self._changed:
            self._since_s = since_s
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._over:
                left_s = None if self._since_s is None else self._since_s + self._within_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    self.lost = True
                    break
                self._changed.wait(left_s)
        if self.lost:
            self._end()
