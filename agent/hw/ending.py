"""Ends a native device that may never come back from being asked to end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from agent.hw.kit import HardwareHangs

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

ENDS_WITHIN_S = 2.0
"""A camera with a disturbed cable can block `stop` for ever, a frozen sound server PortAudio's `abort` (camera-lab 1,
io-lab 1); the process must then go without it."""


def end_device(device: str, end: Callable[[], None]) -> None:
    """Run `end`, and leave it to the end of the process when it hangs.

    Raises:
        HardwareHangs: it did not come back in time.
    """

    def try_to_end() -> None:
        try:
            end()
        except Exception as error:
            log.exception("device_end_failed", device=device, error=str(error))

    ending = threading.Thread(target=try_to_end, name=f"{device}-end", daemon=True)
    ending.start()
    ending.join(ENDS_WITHIN_S)
    if ending.is_alive():
        log.error("device_not_closed", device=device, reason="it hangs; only the end of the process frees it")
        msg = f"the {device} does not come back from being stopped"
        raise HardwareHangs(msg)
