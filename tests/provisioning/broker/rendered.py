"""A real mosquitto that runs on the very configuration that `provisioning/broker` renders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import pytest

from agent.uplink.slots import Identity
from agent.uplink.tls import context_of
from fakes.broker import READY_WITHIN_S, STOPPED_WITHIN_S, find_mosquitto, serves
from fakes.ports import free_port

if TYPE_CHECKING:
    from types import TracebackType

    from fakes.authority import Credentials

RENDER = Path(__file__).parents[3] / "provisioning" / "broker" / "render.py"
ORG = "street"
CONSOLE = "console-1"
LISTENING = "0A"
"""Of a socket in /proc/net/tcp (proc(5))."""
LOOPBACK = "0100007F"
"""127.0.0.1 there."""


def render(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Call it as an administrator does."""
    command = [sys.executable, str(RENDER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class ServerAuthority(Protocol):
    """Whoever can give a broker its certificate."""

    def issue_server(self) -> Credentials:
        """For `localhost`."""
        ...


class RenderedBroker:
    """Started, killed and started again on loopback. `async with` starts and stops it."""

    def __init__(self, folder: Path, authority: ServerAuthority, *more: object) -> None:
        """Render its configuration, with these arguments more.

        Raises:
            RuntimeError: it cannot be rendered.
        """
        server = self.shown = authority.issue_server()
        self.port = free_port()
        self.url = f"mqtts://localhost:{self.port}"
        self.folder = folder
        (folder / "store").mkdir(parents=True)
        rendered = render(
            *("--org", ORG, "--folder", folder, "--store", folder / "store", "--log", "stdout"),
            *("--ca", server.ca_file, "--cert", server.cert_file, "--key", server.key_file),
            *("--port", self.port, "--address", "127.0.0.1", "--user", pwd.getpwuid(os.getuid()).pw_name),
            *("--console", CONSOLE, *more),
        )
        if rendered.returncode:
            raise RuntimeError(rendered.stderr)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's, while it runs."""
        if self._process is None:
            msg = "the broker is not running"
            raise RuntimeError(msg)
        return self._process.pid

    def listens_on(self) -> set[tuple[str, int]]:
        """The addresses, as the kernel writes them, and ports on which it lets anybody in."""
        mine = set()
        for fd in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since the listing; what listens stays open
                mine.add(str(fd.readlink()))
        found = set()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{self.pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                _, local, _, state, *_ = facts = line.split()
                inode = facts[9]
                if state == LISTENING and f"socket:[{inode}]" in mine:
                    address, port = local.split(":")
                    found.add((address, int(port, 16)))
        return found

    @property
    def log(self) -> str:
        """What it said, in all of its lives."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def stored(self) -> bytes:
        """What it has saved; nothing before it saved anything."""
        file = self.folder / "store" / "safepoint.db"
        return file.read_bytes() if file.exists() else b""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end(signal.SIGTERM)

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            RuntimeError: it ends instead.
        """
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it outlives this call
                [find_mosquitto(), "-c", self.folder / "mosquitto.conf"], stdout=log, stderr=subprocess.STDOUT
            )
        async with asyncio.timeout(READY_WITHIN_S):
            while not await serves(self.port):
                if self._process.poll() is not None:
                    msg = f"mosquitto ended at once: {self.log}"
                    raise RuntimeError(msg)
                await asyncio.sleep(0.01)  # between two looks at the condition

    async def end(self, how: signal.Signals) -> None:
        """Stop it in order (SIGTERM), or as a power cut would (SIGKILL)."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            await asyncio.to_thread(process.wait, STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)


def why_locked_out(broker: RenderedBroker, ca: Path, cert: Path, key: Path) -> str:
    """What the broker tells a client whose certificate it does not take."""
    context = context_of(Identity("lab", ca, cert, key), ssl.TLSVersion.TLSv1_3)
    with (
        socket.create_connection(("localhost", broker.port), timeout=60) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tls,
        pytest.raises(ssl.SSLError) as refused,
    ):
        tls.recv(1)
    return str(refused.value)
