"""What the daemon tells systemd: sd_notify(3), in lines of our own because no library for it is kept (io-lab 6)."""

from __future__ import annotations

import os
import socket
import time

import structlog

log = structlog.get_logger()


class ServiceManager:
    """The service manager that started us, or nobody: outside systemd every call does nothing."""

    def __init__(self, address: str | None) -> None:
        self._lost = False
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    @classmethod
    def of_environment(cls) -> ServiceManager:
        """The one that `NOTIFY_SOCKET` names."""
        return cls(os.environ.get("NOTIFY_SOCKET"))

    def ready(self, status: str) -> None:
        """The unit does its work."""
        self._notify(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._notify(f"STATUS={status}")

    def working(self) -> None:
        """Feed the watchdog: call it with a proof in hand, never by a timer."""
        self._notify("WATCHDOG=1")

    def reloading(self) -> None:
        """A new configuration is being taken; `ready` ends it."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The orderly end began."""
        self._notify("STOPPING=1")

    def _notify(self, message: str) -> None:
        if self._address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:  # neither a full queue nor a manager that is gone may stop the alarm path
                sock.sendto(message.encode(), socket.MSG_DONTWAIT, self._address)
            except OSError as error:
                if not self._lost:
                    log.warning("service_manager_lost", reason=str(error))
                self._lost = True
            else:
                self._lost = False
