"""One child process that may refuse to die: in a driver's uninterruptible sleep not even SIGKILL ends it.

asyncio's own subprocesses know no way to let go of such a child, so this one is watched by its pidfd: letting go is to
close that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

LOOK_AGAIN_S = 0.2
"""A dead child that somebody traces (strace, gdb) is reaped only when they let go; nothing tells us when."""

_unreaped: list[subprocess.Popen[bytes]] = []
"""Children that were let go of alive; the daemon may go on after a reload, and they may end after all."""


def reap_let_go() -> int:
    """Reap what ended of the children that were let go of; returns how many are left."""
    _unreaped[:] = [child for child in _unreaped if child.poll() is None]
    return len(_unreaped)


class Process:
    """A child, from when it was started until it is reaped or let go of."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        """Watch it.

        Raises:
            OSError: it cannot be watched.
        """
        self._loop = asyncio.get_running_loop()
        self._child = child
        self._pidfd: int | None = os.pidfd_open(self._child.pid)
        self._retry: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._loop.add_reader(self._pidfd, self._reap)

    @property
    def pid(self) -> int:
        """Its id."""
        return self._child.pid

    @property
    def status(self) -> int | None:
        """How it ended, as `subprocess` tells it; None while it is not reaped."""
        return self._child.returncode

    async def ended(self, within_s: float | None = None) -> bool:
        """Wait until it is reaped, at most this long; returns whether it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        return self._ended.is_set()

    def kill(self) -> None:
        """End it by force; whether that works shows only later."""
        self._child.kill()

    def let_go(self) -> None:
        """Watch it no more. One that still lives is reaped when it ends and another starts, or by init after us."""
        if self._retry is not None:
            self._retry.cancel()
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._child.returncode is None:
            _unreaped.append(self._child)

    def _reap(self) -> None:
        if self._child.poll() is None:  # dead, but not ours to reap yet: its pidfd stays ready, so look by the clock
            if self._pidfd is not None:
                self._loop.remove_reader(self._pidfd)
            self._retry = self._loop.call_later(LOOK_AGAIN_S, self._reap)
            return
        self.let_go()
        self._ended.set()


def end_unwatched(child: subprocess.Popen[bytes]) -> None:
    """End it; it is reaped when another starts, or by init after us."""
    child.kill()
    _unreaped.append(child)
