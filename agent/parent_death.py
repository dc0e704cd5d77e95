"""For a child that must not outlive its parent, however that ends."""

from __future__ import annotations

import ctypes
import signal

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends to us when the thread that started us ends."""


def end_with_parent() -> None:
    """Be killed when the parent ends, even while we hang in a driver or in a library.

    A parent that has ended before this is not noticed.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
