"""How a socket says that what it carries can wait."""

from __future__ import annotations

import socket
from typing import Final

LOWER_EFFORT: Final = 0x01 << 2
"""DSCP "lower effort" (RFC 8622) as a traffic class: routers that know it serve everything else first."""
BULK: Final = 2
"""TC_PRIO_BULK of linux/pkt_sched.h: the board's own queue (pfifo_fast) serves everything else first."""
SEND_BUFFER_BYTES: Final = 64 * 1024
"""One still. What the kernel holds cannot be called back when an alert comes."""

BACKGROUND_SOCKET: Final = (
    (socket.IPPROTO_IP, socket.IP_TOS, LOWER_EFFORT),
    (socket.SOL_SOCKET, socket.SO_PRIORITY, BULK),  # after the line above, which sets it too
    (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES),
)
"""Options of an IPv4 socket, and of an IPv6 one as far as they go there: Linux takes IP_TOS on both."""
