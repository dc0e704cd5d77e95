"""The control room without a terminal: a line for each thing that happens, for pipes and logs."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.clock import Clock
    from agent.control_room.happenings import Happening
    from agent.control_room.room import ControlRoom


class Lines:
    """Prints what happens until `stop`, or until nobody reads or writes to us any more."""

    def __init__(self, room: ControlRoom, clock: Clock) -> None:
        self._clock = clock
        self._stopped = asyncio.Event()
        room.listen(self._print)

    async def run(self) -> None:
        """Print until it is time to end."""
        with _end_of_input(self.stop):
            await self._stopped.wait()

    def stop(self) -> None:
        """End the printing."""
        self._stopped.set()

    def _print(self, happening: Happening) -> None:
        at = self._clock.now().wall.astimezone()
        try:
            sys.stdout.write(f"{at:%Y-%m-%d %H:%M:%S%z} {happening.what:<16} {happening.text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # `control-room | head` ends like this: nobody reads any more. What is still buffered would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.stop()


@contextmanager
def _end_of_input(ended: Callable[[], None]) -> Iterator[None]:
    """Call `ended` when standard input ends. One that cannot be waited for (a file, /dev/null) never does."""
    loop = asyncio.get_running_loop()
    fd = sys.stdin.fileno()

    def read() -> None:
        if not os.read(fd, 4096):
            loop.remove_reader(fd)
            ended()

    try:
        loop.add_reader(fd, read)
    except PermissionError:  # epoll takes no files
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(fd)
