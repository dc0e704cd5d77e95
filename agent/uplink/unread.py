"""How long what is read now may have lain unread in this machine: after a stop, a sleep, or more than can be handled.

A broker counts a message's life down to the moment at which it hands it over, and no further. What then waits in the
socket of a process that stands still ages unseen: nothing but our own lag says how long.
"""

from __future__ import annotations

import select
import ssl
import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_EVERY_S: Final = 1.0
"""How often the event loop is to look. It hears of what comes in between at once, as long as it runs at all."""
IN_TIME_S: Final = 0.25
"""A look that is later than this by more than its turn was not made by a loop that listened all the time."""


class Socket(Protocol):
    """A socket, as paho calls it."""

    def fileno(self) -> int:
        """Its number."""
        ...


def since_power_up_s() -> float:
    """Seconds that a sleep of the machine counts for, too; the event loop's own clock stands still in it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Unread:
    """Remembers when one socket was last seen empty. Any thread may begin it; the rest belongs to the event loop."""

    def __init__(self, clock_s: Callable[[], float] = since_power_up_s) -> None:
        self._clock_s = clock_s
        self._empty_s = clock_s()

    def begin(self) -> None:
        """Nothing was sent to us yet."""
        self._empty_s = self._clock_s()

    def look(self, sock: Socket) -> None:
        """See whether something waits; to be called each `LOOK_EVERY_S`."""
        if not _waits(sock):
            self._empty_s = self._clock_s()

    @property
    def at_most_s(self) -> float:
        """How long what is read now may have waited: 0 when somebody listened all the time, else the most it can be."""
        passed_s = self._clock_s() - self._empty_s
        return 0.0 if passed_s <= LOOK_EVERY_S + IN_TIME_S else passed_s


def _waits(sock: Socket) -> bool:
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    return bool(ready.poll(0))
