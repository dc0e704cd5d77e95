"""The helper's end of the socket pair: blocking sends from any thread, requests in a queue."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import TYPE_CHECKING, Protocol, cast

from agent.helpers.messages import Event, Request, decode, encode

if TYPE_CHECKING:
    from agent.config.settings import Config


class Channel:
    """Speaks to the daemon. When the daemon is gone, `closed` is set and the helper ends."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sending = threading.Lock()
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self.closed = threading.Event()
        """Set when the daemon asked for the end or is gone: every loop of a helper watches it."""
        self._reader = threading.Thread(target=self._read, name="helper-channel")
        self._reader.start()

    def send(self, event: Event) -> None:
        """Send an event up; nothing once closed, since nobody is left to tell."""
        with self._sending:
            try:
                self._sock.sendall(encode(event))
            except OSError:
                self.closed.set()

    def request(self, timeout_s: float | None = None) -> Request | None:
        """The next request, or None after `timeout_s` without one or when closed."""
        try:
            return self._requests.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End the reader and the socket."""
        self.closed.set()
        with contextlib.suppress(OSError):  # the daemon closed first
            self._sock.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._sock.close()

    def _read(self) -> None:
        try:
            with contextlib.suppress(OSError), self._sock.makefile("rb") as lines:  # OSError: closed under us
                for line in lines:
                    self._requests.put(cast("Request", decode(line)))
        finally:  # also after a line that is none of ours: a helper that cannot be asked must not live on
            self.closed.set()
            self._requests.put(None)  # wakes a waiting `request`


class Job(Protocol):
    """The work of a helper process."""

    def run(self, config: Config, channel: Channel) -> None:
        """Work until `channel.closed`; blocks.

        Raises:
            HardwareLost: its device is gone for longer than it can bridge; the daemon starts a new process later.
        """
        ...
