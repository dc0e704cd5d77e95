"""The unit under test: `safepoint run` as a real process, watched the way systemd watches it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

READY_WITHIN_S = 60.0
"""Generous: a condition is waited for, not a speed asserted."""
ENDS_WITHIN_S = 60.0


class UnitProcess:
    """Starts, stops, kills and restarts the daemon, and hears what it tells its service manager."""

    def __init__(self, config_file: Path, folder: Path) -> None:
        self._config_file = config_file
        self._log_file = folder / "unit.log"
        self._address = folder / "notify.sock"
        self._sock: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._told = asyncio.Event()
        self.notifications: list[tuple[float, str]] = []
        """What came over NOTIFY_SOCKET, with the monotonic time of arrival; one entry a line."""
        self.log_to: int | None = None
        """A descriptor for standard error, in the place of the log file."""
        self.under: tuple[str, ...] = ()
        """A program, and its arguments, that starts the daemon as the same process, to watch what it does."""
        self.started_s = 0.0
        """When the last process was started, on the monotonic clock."""

    async def __aenter__(self) -> Self:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._sock.bind(str(self._address))
        asyncio.get_running_loop().add_reader(self._sock, self._hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.kill()
            await self.ended()
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
        self._address.unlink(missing_ok=True)

    @property
    def pid(self) -> int:
        """The daemon's process."""
        if self._process is None:
            msg = "the unit was never started"
            raise RuntimeError(msg)
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the daemon lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> str:
        """What all runs wrote to standard error so far."""
        return self._log_file.read_text(encoding="utf-8") if self._log_file.exists() else ""

    async def logged(self, words: str) -> None:
        """Wait until a line of the log has these words."""
        async with asyncio.timeout(READY_WITHIN_S):
            while words not in self.log:  # noqa: ASYNC110 - a log cannot set an event
                await asyncio.sleep(0.05)

    async def start(self, **environment: str) -> None:
        """Start the daemon; `ready` waits until it does its work."""
        with self._log_file.open("ab") as log:
            self.started_s = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                *(*self.under, sys.executable, "-m", "agent.cli.main", "run", "--config", str(self._config_file)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log if self.log_to is None else self.log_to,
                env={**os.environ, "NOTIFY_SOCKET": str(self._address), **environment},
            )

    async def ready(self) -> float:
        """Wait for READY=1 of the present process; returns the seconds from its start."""
        told_s = await self.told("READY=1", since_s=self.started_s)
        return told_s - self.started_s

    async def told(self, line: str, *, since_s: float, within_s: float = READY_WITHIN_S) -> float:
        """Wait for a notification that begins with `line`; returns when it came."""
        async with asyncio.timeout(within_s):
            while True:
                for told_s, told in self.notifications:
                    if told_s >= since_s and told.startswith(line):
                        return told_s
                if not self.running:
                    msg = f"the unit ended before it said {line}:\n{self.log[-4000:]}"
                    raise RuntimeError(msg)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), timeout=0.5)  # looks again whether it still lives

    def kill(self) -> None:
        """Pull the plug: SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """Ask for the orderly end, as `systemctl stop` does."""
        os.kill(self.pid, signal.SIGTERM)

    def reload(self) -> None:
        """Ask to read the configuration again, as `systemctl reload` does."""
        os.kill(self.pid, signal.SIGHUP)

    async def ended(self) -> int:
        """Wait for the end; returns the exit status."""
        if self._process is None:
            msg = "the unit was never started"
            raise RuntimeError(msg)
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await self._process.wait()

    def children(self) -> dict[str, int]:
        """The helper processes by name."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError):
                stat = (folder / "stat").read_text(encoding="ascii", errors="replace")
                words = (folder / "cmdline").read_text(encoding="utf-8").split("\0")
                if int(stat.rsplit(") ", 1)[1].split()[1]) == self.pid and "agent.helpers" in words:
                    found[words[words.index("agent.helpers") + 1]] = int(folder.name)
        return found

    def _hear(self) -> None:
        if self._sock is None:
            return
        with suppress(BlockingIOError):
            now_s = time.monotonic()
            lines = self._sock.recv(4096).decode().splitlines()
            self.notifications.extend((now_s, line) for line in lines)
            self._told.set()
            self._told = asyncio.Event()
