"""What connections truly carry, as the bill of a SIM card counts it: both ways, with headers, handshakes and repeats.

The kernel knows it of every TCP socket, so nothing is estimated, and nothing that a library adds is forgotten. What is
not a connection of the unit's own is not in it: name look-ups, the system's time, and updates that it downloads.
"""

from __future__ import annotations

import socket
import struct
import threading
from typing import Final
from weakref import WeakKeyDictionary

IPV4_SEGMENT_BYTES: Final = 52
"""Around each segment: IPv4 20 (RFC 791), TCP 20 (RFC 9293), time stamps 12 (RFC 7323), which Linux has on."""
IPV6_SEGMENT_BYTES: Final = 72
"""... IPv6 has 40 (RFC 8200)."""
_TCP_INFO: Final = struct.Struct("=128x Q II 56x Q")
"""`struct tcp_info` of linux/tcp.h up to tcpi_bytes_sent (Linux 4.19): bytes_received, segs_out, segs_in, bytes_sent.
The kernel only ever adds to its end."""


class Wire:
    """Counts the sockets that it is given. All of it may be called from any thread."""

    def __init__(self) -> None:
        """Nothing was carried yet."""
        self._lock = threading.Lock()
        self._counted_bytes = 0
        self._open: WeakKeyDictionary[socket.socket, int] = WeakKeyDictionary()
        """The sockets there are, and what of each was counted."""

    def watch(self, sock: socket.socket) -> None:
        """Count this TCP socket from its beginning on."""
        with self._lock:
            self._open[sock] = 0

    def last_look(self, sock: socket.socket) -> None:
        """Count it for the last time, just before it is closed: afterwards nobody can tell. Watched or not."""
        with self._lock:
            self._look_at(sock, self._open.pop(sock, 0))

    def look(self) -> None:
        """Count what is new: soon one of them may be closed by somebody who does not say so."""
        with self._lock:
            for sock, counted in list(self._open.items()):
                self._open[sock] = self._look_at(sock, counted)

    @property
    def carried_bytes(self) -> int:
        """What the sockets carried by now, since the first of them."""
        self.look()
        return self._counted_bytes

    def _look_at(self, sock: socket.socket, counted: int) -> int:
        """Count what is new, and return what is counted of this socket now."""
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        except OSError:  # it was closed under our eyes: what the last look saw is counted
            return counted
        received, segments_out, segments_in, sent = _TCP_INFO.unpack(info)
        around = IPV6_SEGMENT_BYTES if sock.family is socket.AF_INET6 else IPV4_SEGMENT_BYTES
        carried: int = received + sent + (segments_out + segments_in) * around
        self._counted_bytes += carried - counted
        return carried
