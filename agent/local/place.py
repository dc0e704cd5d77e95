"""Where the local socket lies: in the service's runtime folder, or beside the state of a unit on a bench."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET_NAME: Final = "agent.sock"
SERVICE_FOLDER: Final = Path("/run/safepoint")
"""`RuntimeDirectory=` of the service."""
MODE: Final = 0o660
"""The service's user and group, and root."""
BACKLOG: Final = 4
ADDRESS_BYTES: Final = 107
"""The longest path of a socket (unix(7))."""


def listening_folder(state_folder: Path) -> Path:
    """Where the daemon listens: systemd says it."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(runtime) if runtime else state_folder


def likely_folders(state_folder: Path) -> tuple[Path, ...]:
    """Where somebody who is not the service finds it; the bench first, where both may be."""
    return state_folder, SERVICE_FOLDER


def listen(folder: Path) -> socket.socket:
    """A socket that listens there; one that an earlier life left is replaced. Blocking.

    Raises:
        OSError: none can be made.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(folder) as short:
            path = short / SOCKET_NAME
            path.unlink(missing_ok=True)
            sock.bind(str(path))
            path.chmod(MODE)
        sock.listen(BACKLOG)
        sock.settimeout(0)
    except BaseException:
        sock.close()
        raise
    return sock


def connect(folder: Path) -> socket.socket:
    """A connection to the unit that listens there. Blocking, for a moment.

    Raises:
        OSError: nobody does.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(folder) as short:
            sock.connect(str(short / SOCKET_NAME))
        sock.settimeout(0)
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """The folder by a path that fits into a socket's address, however long its name is."""
    if len(os.fsencode(folder / SOCKET_NAME)) <= ADDRESS_BYTES:
        yield folder
        return
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
