"""Opens a native device that may never come back from being opened."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

from agent.hw.kit import HardwareHangs

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

OPENS_WITHIN_S = 10.0
"""A sound server that stands still keeps PortAudio waiting for ever (io-lab 1). On a loaded Pi, with a dozen ALSA
devices to look at, opening takes two seconds; a new process is granted 20 s until its first block."""


def open_device(device: str, open_it: Callable[[], T]) -> T:
    """Run `open_it`; returns or raises what it does.

    Raises:
        HardwareHangs: it did not come back in time, and may never do: only the end of the process frees it.
    """
    outcome: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def try_to_open() -> None:
        try:
            outcome.put(open_it())
        except Exception as error:  # noqa: BLE001 - handed to who waits
            outcome.put(error)

    threading.Thread(target=try_to_open, name=f"{device}-open", daemon=True).start()
    try:
        opened = outcome.get(timeout=OPENS_WITHIN_S)
    except queue.Empty as late:
        msg = f"the {device} does not come back from being opened"
        raise HardwareHangs(msg) from late
    if isinstance(opened, Exception):
        raise opened
    return opened
