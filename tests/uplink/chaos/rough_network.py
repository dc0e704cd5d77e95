"""A network that does everything wrong that networks do: a TCP proxy between a client and its broker.

It reads along as far as MQTT without TLS allows it, so that a connection can be broken at any point of the protocol;
of an encrypted connection it counts the bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final, Self

from tests.uplink.chaos.packets import PacketWatch

if TYPE_CHECKING:
    from types import TracebackType

CHUNK: Final = 4096


class Way(Enum):
    """Which way bytes go."""

    TO_BROKER = "to the broker"
    TO_CLIENT = "to the client"


class End(Enum):
    """How a connection ends."""

    RESET = "reset"
    """Both sides get a TCP reset."""
    HALF_OPEN = "half-open"
    """Nothing goes through any more and nobody is told: a NAT entry that expired, a cable that was cut."""
    CLOSE = "close"
    """Both sides get an orderly end, in the middle of whatever was said."""


class Packet(IntEnum):
    """MQTT packets by their number."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True)
class Fault:
    """What is wrong with a connection from its beginning."""

    delay_s: float = 0.0
    """Each piece comes so much later."""
    piece: int = CHUNK
    """Bytes that go at a time."""
    pause_s: float = 0.0
    """Between two pieces."""
    end: End | None = None
    """How it ends, when one of the following is reached."""
    end_after: int | None = None
    """Bytes, counted over both ways."""
    end_at: tuple[Way, Packet] | None = None
    """In the middle of the first such packet."""
    stall_at: int | None = None
    """Bytes after which nothing comes for `stall_s`: lost segments on a bad network."""
    stall_s: float = 0.0


CALM: Final = Fault()


class RoughNetwork:
    """Listens on a port of its own and leads to the broker's; each connection has the fault that was set for it."""

    def __init__(self, broker_port: int, *, reads_mqtt: bool) -> None:
        """A network that is calm.

        Args:
            broker_port: Where connections lead, on 127.0.0.1.
            reads_mqtt: The connections carry MQTT without TLS.
        """
        self._broker_port = broker_port
        self._reads_mqtt = reads_mqtt
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._faults: list[Fault] = []
        self.always = CALM
        """What is wrong with every connection that has no fault of its own."""
        self.port = 0
        self.ended = 0
        """Connections that the network ended."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for connection in [*self._connections]:
            connection.end(End.RESET)
            await connection.over.wait()

    def next_connections(self, *faults: Fault) -> None:
        """The next connections have these faults, one each, in this order."""
        self._faults = [*faults]

    @property
    def expects_faults(self) -> bool:
        """Whether some of those faults still wait for their connection."""
        return bool(self._faults)

    def strike(self, end: End) -> None:
        """End all present connections so."""
        for connection in [*self._connections]:
            connection.end(end)
        self.ended += len(self._connections)

    def stall(self, seconds: float) -> None:
        """Let nothing through for so long."""
        until_s = asyncio.get_running_loop().time() + seconds
        for connection in self._connections:
            connection.stalled_until_s = until_s

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._faults.pop(0) if self._faults else self.always
        try:
            to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            _reset(writer)  # there is no broker: the client shall know it as it would without us
            return
        connection = _Connection(fault, (reader, writer), to_broker, reads_mqtt=self._reads_mqtt)
        self._connections.add(connection)
        try:
            if await connection.carry():
                self.ended += 1
        finally:
            self._connections.discard(connection)
            connection.over.set()


class _Connection:
    """One connection through the network."""

    def __init__(
        self,
        fault: Fault,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        broker: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        *,
        reads_mqtt: bool,
    ) -> None:
        self._fault = fault
        self._client = client
        self._broker = broker
        self._watches = {way: PacketWatch() for way in Way} if reads_mqtt else {}
        self._carried = 0
        self._ended = asyncio.Event()
        self._how: End | None = None
        self._stalled = False
        self.stalled_until_s = 0.0
        self.over = asyncio.Event()

    def end(self, how: End) -> None:
        """End it; of a half-open one, both ends learn when they hang up themselves."""
        if self._how is not End.RESET:
            self._how = how
        self._ended.set()

    async def carry(self) -> bool:
        """Carry until somebody hangs up; whether the network ended it."""
        pumps = [
            asyncio.create_task(self._pump(self._client[0], self._broker[1], Way.TO_BROKER)),
            asyncio.create_task(self._pump(self._broker[0], self._client[1], Way.TO_CLIENT)),
        ]
        ended = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait([*pumps, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*pumps, ended):
                task.cancel()
            await asyncio.gather(*pumps, ended, return_exceptions=True)
        if self._how is End.HALF_OPEN:
            self._ended.clear()
            await self._swallow()
        for writer in (self._client[1], self._broker[1]):
            if self._how is End.CLOSE:
                await _close(writer)
            else:
                _reset(writer)
        return self._how is not None

    async def _swallow(self) -> None:
        """Take what the client sends and give it to nobody, until it hangs up or the network goes."""
        gone = asyncio.create_task(_read_to_end(self._client[0]))
        reset = asyncio.create_task(self._ended.wait())
        await asyncio.wait([gone, reset], return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, reset):
            task.cancel()
        await asyncio.gather(gone, reset, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        """Carry one way until it ends.

        Raises:
            OSError: the other side is gone.
        """
        fault, loop = self._fault, asyncio.get_running_loop()
        while data := await reader.read(CHUNK):
            if self._how is not None:
                await asyncio.Event().wait()  # it has ended; `carry` sees to the rest
            if fault.delay_s:
                await asyncio.sleep(fault.delay_s)
            allowed = self._allowed(data, way)
            for begin in range(0, allowed, fault.piece):
                if fault.stall_at is not None and not self._stalled and self._carried >= fault.stall_at:
                    self._stalled = True
                    self.stalled_until_s = loop.time() + fault.stall_s
                while (rest_s := self.stalled_until_s - loop.time()) > 0:  # noqa: ASYNC110 - it may be prolonged meanwhile
                    await asyncio.sleep(rest_s)
                piece = data[begin : min(begin + fault.piece, allowed)]
                writer.write(piece)
                self._carried += len(piece)
                await writer.drain()
                if fault.pause_s:
                    await asyncio.sleep(fault.pause_s)
            if allowed < len(data):
                self.end(fault.end or End.RESET)
                await asyncio.Event().wait()  # ended by `carry`

    def _allowed(self, data: bytes, way: Way) -> int:
        """How many of these bytes go through before the connection ends."""
        allowed = len(data)
        if self._fault.end_after is not None:
            allowed = min(allowed, max(0, self._fault.end_after - self._carried))
        if self._watches and self._fault.end_at is not None:
            for kind, begin, end in self._watches[way].feed(data):
                if (way, kind) == self._fault.end_at:
                    allowed = min(allowed, (begin + end) // 2)
        return allowed


async def _read_to_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):  # hanging up with a reset is hanging up
        while await reader.read(CHUNK):
            pass


async def _close(writer: asyncio.StreamWriter) -> None:
    """Hang up in order, after what was written."""
    writer.close()
    with contextlib.suppress(OSError):  # the other side hung up first
        await writer.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Hang up with a TCP reset, not with an orderly end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
