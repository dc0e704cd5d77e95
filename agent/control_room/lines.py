"""The control room without a terminal: a line for each thing that happens, for pipes and logs.

Each line of its input is a command (`agent.control_room.command_line`), carried out one after the other.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from agent.control_room.telling import have_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.clock import Clock
    from agent.control_room.room import ControlRoom

COMMAND: Final = "command"
CONNECTED_WITHIN_S: Final = 30.0
"""For the broker, before a command is given up as not sent."""


class Lines:
    """Prints what happens until `stop`, or until nobody reads or writes to us any more."""

    def __init__(self, room: ControlRoom, clock: Clock) -> None:
        self._room = room
        self._clock = clock
        self._stopped = asyncio.Event()
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        """Commands in the order in which they were typed; None: the input ended."""
        room.listen(lambda happening: self._print(happening.what, happening.text))

    async def run(self) -> None:
        """Print until it is time to end."""
        with _input(self._typed.put_nowait):
            async with asyncio.TaskGroup() as work:
                commanding = work.create_task(self._command(), name="control-room-commands")
                await self._stopped.wait()
                commanding.cancel()

    def stop(self) -> None:
        """End the printing."""
        self._stopped.set()

    async def _command(self) -> None:
        while (line := await self._typed.get()) is not None:
            if line.strip():
                with suppress(TimeoutError):  # then it is told as not sent
                    await self._room.wait_for(lambda room: room.connected, CONNECTED_WITHIN_S)
                await have_done(self._room, line, lambda text: self._print(COMMAND, text))
        self.stop()

    def _print(self, what: str, text: str) -> None:
        at = self._clock.now().wall.astimezone()
        try:
            sys.stdout.write(f"{at:%Y-%m-%d %H:%M:%S%z} {what:<16} {text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # `control-room | head` ends like this: nobody reads any more. What is still buffered would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.stop()


@contextmanager
def _input(typed: Callable[[str | None], None]) -> Iterator[None]:
    """Call `typed` with each line, and with None at the end.

    An input that cannot be waited for (a file, /dev/null) never ends and says nothing.
    """
    loop = asyncio.get_running_loop()
    fd = sys.stdin.fileno()
    rest = b""

    def read() -> None:
        nonlocal rest
        came = os.read(fd, 4096)
        *lines, rest = (rest + came).split(b"\n")
        for line in lines:
            typed(line.decode(errors="replace"))
        if not came:
            loop.remove_reader(fd)
            typed(None)

    try:
        loop.add_reader(fd, read)
    except PermissionError:  # epoll takes no files
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(fd)
