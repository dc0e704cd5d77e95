"""A device's end of its connection to the street: blocking, for the threads of a unit."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from agent.hw.kit import HardwareLost
from fakes.wire import Device, Frame, Hello, Message, Refused, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER_WITHIN_S = 10.0
"""The street answers at once, but may share two busy cores with all that it simulates."""


class Link:
    """An open connection; `close` may be called from any thread and ends whatever waits in it."""

    def __init__(self, path: Path, device: Device) -> None:
        """Connect and wait for the street's answer.

        Raises:
            HardwareLost: there is no street, it does not answer, or it says that the device is not there.
        """
        self.closed = False
        self._sending = threading.Lock()
        self._reading = threading.Lock()
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.settimeout(ANSWER_WITHIN_S)
        self._incoming = self._sock.makefile("rb")
        try:
            self._sock.connect(str(path))
            self._sock.sendall(encode(Hello(device)))
            line = self._incoming.readline()
        except OSError as error:
            self.close()
            msg = f"the simulated street at {path} does not answer ({error}): is it running?"
            raise HardwareLost(msg) from error
        self._sock.settimeout(None)
        self.answer = decode(line) if line else Refused("the street is closing")
        """What the street said to our hello."""
        if isinstance(self.answer, Refused):
            self.close()
            msg = f"no {device} on the simulated street: {self.answer.reason}"
            raise HardwareLost(msg)

    def send(self, message: Message) -> None:
        """Send one message, from any thread.

        Raises:
            OSError: the street is gone.
        """
        with self._sending:
            self._sock.sendall(encode(message))

    def messages(self) -> Iterator[Message]:
        """Yield what the street says until either side closes."""
        with contextlib.suppress(ConnectionError):  # the street went without a goodbye: the end all the same
            while line := self._read_line():
                yield decode(line)

    def frames(self) -> Iterator[Frame]:
        """Yield the sound that the street sends until either side closes."""
        with contextlib.suppress(ConnectionError):
            while header := self._read(Frame.HEADER.size):
                ended_s, lost, size = Frame.HEADER.unpack(header)
                pcm = self._read(size)
                if len(pcm) == size:
                    yield Frame(pcm, ended_s, lost)

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        with contextlib.suppress(OSError):  # the street hung up first
            self._sock.shutdown(socket.SHUT_RDWR)
        with self._reading:  # whoever was reading has just been woken
            self._incoming.close()
            self._sock.close()

    def _read(self, size: int) -> bytes:
        """Exactly so many bytes, or none at the end."""
        with self._reading:
            data = b"" if self.closed else self._incoming.read(size)
        return data if len(data) == size else b""

    def _read_line(self) -> bytes:
        with self._reading:
            return b"" if self.closed else self._incoming.readline()
