"""A terminal of 80 x 24 with a program in it, for a test to type at and read from."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Self

from tests.control_room.hand_unit import SOON_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9])")
HOME = "\x1b[H"
"""What a frame begins with."""


class Terminal:
    """Starts a program on a pseudo terminal; the test's own process holds the other end."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, self._slave = os.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._before = termios.tcgetattr(self._slave)
        self._changed = asyncio.Event()
        self.output = ""
        """All that the program wrote."""
        environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli.main", *command],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=environment | {"TERM": "xterm-256color"},
            start_new_session=True,
        )

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._master, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self._process.poll() is None:
            self._process.kill()
        await asyncio.to_thread(self._process.wait)
        os.close(self._master)
        os.close(self._slave)

    @property
    def screen(self) -> str:
        """The words of the last frame that was drawn completely."""
        frames = self.output.split(HOME)
        return _ESCAPE.sub("", frames[-2] if len(frames) > 1 else "")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    async def shows(self, *words: str) -> None:
        """Wait until all these words stand on the screen."""
        await self._until(lambda: all(word in self.screen for word in words), f"{words} on\n{self.screen}")

    async def shows_no(self, words: str) -> None:
        """Wait until these words have left the screen."""
        await self._until(lambda: bool(self.screen) and words not in self.screen, f"no {words}")

    async def ended(self) -> int:
        """Wait until the program has ended; its exit code."""
        async with asyncio.timeout(SOON_S):
            return await asyncio.to_thread(self._process.wait, SOON_S)

    def terminate(self) -> None:
        """Ask the program to end, as a service manager does."""
        self._process.terminate()

    def is_as_before(self) -> bool:
        """Whether the terminal's own settings are those from before the program."""
        return termios.tcgetattr(self._slave) == self._before

    def _read(self) -> None:
        self.output += os.read(self._master, 65_536).decode(errors="replace")
        self._changed.set()

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(SOON_S):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            msg = f"never came: {what}\nlast screen:\n{self.screen}"
            raise AssertionError(msg) from None
