"""How a child process is started, in a thread beside the event loop: only that thread waits for a disk that hangs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

if sys.version_info < (3, 11, 7):
    # Debian 12's Python (3.11.2) holds its lock from vfork() until the disk has given the program, so that no thread
    # runs at all meanwhile (CPython 104372; 3.11.7 does not). fork() does not wait for the disk; it costs 12 ms for a
    # process of 100 MB, which has its page tables copied.
    subprocess._USE_VFORK = False  # type: ignore[misc] # noqa: SLF001 - documented as a switch of the module's


def start_child(argv: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - Popen's own arguments
    """Start a child without an input. Blocks while the disk does not give the program.

    Args:
        argv: The program and its arguments.
        how: As for `subprocess.Popen`.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, **how)
