"""A helper process that behaves badly in its first life and well in all later ones: `unruly.py HOW FOLDER NAME FD`.

HOW is what it does after its first proof of work (`crash` gives none); where FOLDER holds a file `always`, it does
that in every life. Without the agent's own code: it starts in a tenth of a second.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path

WORKING = b'{"type": "working", "done": 1, "lost": 0}\n'
PR_SET_PTRACER = 0x59616D61
PTRACE_SEIZE = 0x4206
LONGEST_HOLD_S = 60.0
"""The tracer lets go by then, should the test be gone."""


def crash(line: socket.socket, _folder: Path) -> None:
    line.recv(65536)


def flood(line: socket.socket, _folder: Path) -> None:
    while True:
        line.sendall(WORKING * 1000)


def complain(line: socket.socket, _folder: Path) -> None:
    """Each of these is a fault that the rules, the outbox and the control room deal with."""
    while True:
        line.sendall(b"".join(b'{"type": "trouble", "code": "t%d", "text": "t"}\n' % number for number in range(1000)))


def half(line: socket.socket, _folder: Path) -> None:
    line.sendall(WORKING[:20])
    time.sleep(LONGEST_HOLD_S)


def deaf(line: socket.socket, _folder: Path) -> None:
    while True:
        line.sendall(WORKING)
        time.sleep(0.2)


def stuck(line: socket.socket, _folder: Path) -> None:
    line.sendall(b'{"type": "trouble", "code": "camera-lost", "text": "No pictures."}\n')
    time.sleep(LONGEST_HOLD_S)


def give_up(line: socket.socket, _folder: Path) -> None:
    """A camera that is opened anew twice, and then left to a new process."""
    line.recv(65536)  # its settings: what ends with unread lines takes its own last words with it
    line.sendall(b'{"type": "trouble", "code": "camera-lost", "text": "No pictures."}\n')
    line.sendall(b'{"type": "pipeline-restarted"}\n' * 2)
    line.sendall(b'{"type": "footage-stands", "facts": {"keptDays": 12.5, "oldest": null}}\n')
    line.sendall(b'{"type": "hearing-stands", "at_s": 7.5, "facts": {"blocksPerS": 9.9}}\n')


def unkillable(_line: socket.socket, folder: Path) -> None:
    """Die and stay unreaped: the kernel lets nobody but the tracer reap a process that is traced.

    To its parent that is what a driver's uninterruptible sleep is: SIGKILL was sent, and no end comes.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    mine = os.getpid()
    traced, tracing = os.pipe()
    tracer = os.fork()
    if tracer == 0:
        _hold(libc, mine, folder, tracing)
    os.close(tracing)
    libc.prctl(PR_SET_PTRACER, ctypes.c_ulong(tracer), 0, 0, 0)
    os.read(traced, 1)
    time.sleep(LONGEST_HOLD_S)


def _hold(libc: ctypes.CDLL, pid: int, folder: Path, tracing: int) -> None:
    os.closerange(3, tracing)
    ends_s = time.monotonic() + LONGEST_HOLD_S
    while libc.ptrace(PTRACE_SEIZE, pid, None, None) != 0 and time.monotonic() < ends_s:
        time.sleep(0.01)  # not allowed yet
    os.write(tracing, b"!")
    while not (folder / "let-go").exists() and time.monotonic() < ends_s:
        time.sleep(0.02)
    os._exit(0)


def work(line: socket.socket) -> None:
    """Prove it five times a second until the daemon closes the line."""
    line.settimeout(0.2)
    while True:
        line.sendall(WORKING)
        try:
            if not line.recv(65536):
                return
        except TimeoutError:
            continue


def main(how: str, folder: Path, fd: int) -> None:
    line = socket.socket(fileno=fd)
    lived_before = folder / "lived-before"
    if lived_before.exists() and not (folder / "always").exists():
        work(line)
        return
    if how != "crash":
        line.sendall(WORKING)
    lived_before.touch()
    deeds = {
        "crash": crash,
        "flood": flood,
        "complain": complain,
        "half": half,
        "deaf": deaf,
        "stuck": stuck,
        "give-up": give_up,
        "unkillable": unkillable,
    }
    deeds[how](line, folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[-1]))
