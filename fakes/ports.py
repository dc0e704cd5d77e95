"""Ports for servers that are stopped and started again: nobody else is given them meanwhile."""

from __future__ import annotations

import itertools
import os
import socket
from typing import Final

FIRST: Final = 10_000
"""Up to `net.ipv4.ip_local_port_range` (32,768 and more): from there the kernel gives ports away, to whoever listens on
port 0 and to whoever connects. A client that connects to a port of those while its server is away may even get it."""
FOR_A_PROCESS: Final = 1_000
PROCESSES: Final = 22
"""Test runners have process ids next to each other: each has a range of its own."""

_next = itertools.count()


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses now, that this process was not given before, and that no other one will be.

    Raises:
        RuntimeError: there is none.
    """
    begin = FIRST + os.getpid() % PROCESSES * FOR_A_PROCESS
    for _ in range(FOR_A_PROCESS):
        port = begin + next(_next) % FOR_A_PROCESS
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    msg = f"all ports from {begin} on are taken"
    raise RuntimeError(msg)
