"""Writes the log in a thread of its own: whoever reads it may stop, and then nobody else waits for that.

A line is queued and the caller goes on. While the reader is stuck the queue fills, then lines are lost: infos first,
errors last, each counted, and the count is told as soon as the reader is back.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_BYTES: Final = 256 * 1024
"""Of lines that wait: some 1,500, what a unit with trouble says in an hour. journald takes milliseconds for them."""
INFOS_FILL, WARNINGS_FILL, ERRORS_FILL = 0.5, 0.75, 1.0
"""Shares of that: up to there each sort of line is taken, so that the last room is for the worst."""
SETTLES_S: Final = 0.02
"""What is said together with a help call is written after that call has gone: woken at once, this thread would compete
with it for the interpreter. What a `kill -9` can take of the log."""


@dataclass(frozen=True)
class Standing:
    """How it stands with the log."""

    waiting: int = 0
    """Lines."""
    lost: int = 0
    """Lines, since the process began."""
    stuck_s: float = 0.0
    """For how long the reader has not taken the line that is being written."""
    broken: str | None = None
    """Why the last line could not be written."""


class Scribe:
    """Takes finished lines from any thread, under the names of structlog's levels; never waits, never raises."""

    def __init__(self, fd: int, *, on_lost: Callable[[int, int], None]) -> None:
        """Begin to write.

        Args:
            fd: Where to; stays the caller's.
            on_lost: Called in the scribe's thread, once lines are written again: how many were lost since it was last
                called, and since the beginning. May log.
        """
        self._fd = fd
        self._on_lost = on_lost
        # Reentrant: a finaliser that the collector runs in the middle of `_take` may log as well.
        self._changed = threading.Condition(threading.RLock())
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._told = 0
        """Of these, lines whose loss is told."""
        self._writing_since_s: float | None = None
        self._broken: str | None = None
        self._closing = threading.Event()
        # A daemon thread: a reader that is stuck must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="scribe", daemon=True)
        self._thread.start()

    def info(self, line: str) -> None:
        """Take a line of which many can be missed."""
        self._take(line, INFOS_FILL)

    debug = info

    def warning(self, line: str) -> None:
        """Take a line that should not be missed."""
        self._take(line, WARNINGS_FILL)

    def error(self, line: str) -> None:
        """Take a line that is missed last."""
        self._take(line, ERRORS_FILL)

    critical = error

    @property
    def standing(self) -> Standing:
        """How it stands now."""
        with self._changed:
            since_s = self._writing_since_s
            stuck_s = 0.0 if since_s is None else time.monotonic() - since_s
            return Standing(len(self._lines), self._lost, stuck_s, self._broken)

    def close(self, within_s: float) -> bool:
        """Write what waits and end; False when the reader did not take it in time, and what waits is left unread."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _take(self, line: str, may_fill: float) -> None:
        written = line.encode(errors="replace") + b"\n"
        with self._changed:
            if self._waiting_bytes + len(written) > LIMIT_BYTES * may_fill:
                self._lost += 1
                return
            self._lines.append(written)
            self._waiting_bytes += len(written)
            self._changed.notify()

    def _run(self) -> None:
        while (line := self._next()) is not None:
            self._write_counted(line)
            if not self._lines and self._broken is None and (lost := self._lost) != self._told:
                news, self._told = lost - self._told, lost
                self._on_lost(news, lost)

    def _next(self) -> bytes | None:
        """The next line; None when it is over."""
        if not self._lines:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing.is_set())
            self._closing.wait(SETTLES_S)
        with self._changed:
            if not self._lines:
                return None
            line = self._lines.popleft()
            self._waiting_bytes -= len(line)
            return line

    def _write_counted(self, line: bytes) -> None:
        self._writing_since_s = time.monotonic()
        try:
            self._write(line)
        except OSError as error:  # the reader is gone, or a disk is full: the next line may fare better
            with self._changed:
                self._lost += 1
            self._broken = error.strerror or str(error)
        else:
            self._broken = None
        finally:
            self._writing_since_s = None

    def _write(self, line: bytes) -> None:
        """Write all of it, straight to the descriptor: what Python buffers it would write again at its own end.

        Raises:
            OSError: not all of it was written.
        """
        left = memoryview(line)
        while left:
            with contextlib.suppress(BlockingIOError):  # somebody who shares the descriptor made it so
                left = left[os.write(self._fd, left) :]
                continue
            ready = select.poll()
            ready.register(self._fd, select.POLLOUT)
            ready.poll()
