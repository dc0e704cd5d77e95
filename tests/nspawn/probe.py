"""Runs in the agent's sandbox in the agent's place, and looks what it lets through; ends with 1 when that is wrong."""

from __future__ import annotations

import ctypes
import os
import socket
import time
from typing import TYPE_CHECKING

import cffi  # type: ignore[import-untyped] # it ships no types

from agent.clock import SystemClock
from agent.core_dumps import leave_no_core

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_NEWUSER = 0x10000000
CODE = "/opt/safepoint/slots/a/probe"


def refused(what: str, do: Callable[[], object]) -> None:
    """Whatever this is, it must not work."""
    try:
        do()
    except OSError:
        return
    message = f"the sandbox lets through: {what}"
    raise AssertionError(message)


def unshare() -> None:
    """Make a user namespace (Python 3.11 has no call of its own for it)."""
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


# What the agent needs. sounddevice is called back by PortAudio through libffi: machine code that is made as it runs,
# which MemoryDenyWriteExecute forbids unless libffi has it ready.
assert cffi.FFI().callback("int(int)", lambda number: number + 1)(41) == 42
assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)(41) == 42
libc = ctypes.CDLL(None, use_errno=True)
timex = ctypes.create_string_buffer(512)  # modes = 0: the state of the clock is asked for, nothing is set
assert libc.adjtimex(timex) >= 0, os.strerror(ctypes.get_errno())
SystemClock().now()
leave_no_core()
socket.getaddrinfo("localhost", 8883)

# What it must not do.
refused("setting the clock", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))
refused("changing its own code", lambda: os.open(CODE, os.O_WRONLY | os.O_CREAT))
refused("changing its own configuration", lambda: os.open("/etc/safepoint/unit.yaml", os.O_WRONLY))
refused("reading its key where it lies", lambda: os.open("/etc/safepoint/tls/unit-key.pem", os.O_RDONLY))
refused("raw packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
refused("a new namespace", unshare)
refused("a device that is not in its list", lambda: os.open("/dev/fuse", os.O_RDWR))
refused("becoming root", lambda: os.setuid(0))
