"""Where a unit's devices come in: one Unix socket, one visit a connection, each visit owned to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Self, cast

from fakes.wire import Device, Hello, decode

if TYPE_CHECKING:
    from pathlib import Path

SOCKET_PATH_BYTES = 107
"""The longest path of a Unix socket on Linux (unix(7): 108 with the closing NUL)."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Reception:
    """Leads each device to its plug; as a context manager, open for devices."""

    def __init__(self, path: Path, plugs: Mapping[Device, Serve]) -> None:
        """Prepare to listen at this path.

        Raises:
            ValueError: the path is too long for a socket.
        """
        if len(str(path).encode()) > SOCKET_PATH_BYTES:
            msg = f"{path} is too long for a Unix socket: choose a folder with a shorter path"
            raise ValueError(msg)
        self._path = path
        self._plugs = plugs
        self._server: asyncio.Server | None = None
        self._visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.devices: list[Device] = []
        """What is connected now."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._visited, self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._visits.values():
            writer.transport.abort()  # `close` would wait for a hung reader
        await asyncio.gather(*self._visits)
        self._path.unlink(missing_ok=True)

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = cast("asyncio.Task[None]", asyncio.current_task())
        self._visits[visit] = writer
        try:
            with contextlib.suppress(ConnectionError):  # a unit that is killed hangs up in the middle of a word
                if line := await reader.readline():
                    await self._serve(cast("Hello", decode(line)).device, reader, writer)
        finally:
            del self._visits[visit]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, device: Device, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.devices.append(device)
        try:
            await self._plugs[device](reader, writer)
        finally:
            self.devices.remove(device)
