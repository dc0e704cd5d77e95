from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from agent.notify import ServiceManager

if TYPE_CHECKING:
    from pathlib import Path


def test_the_service_manager_hears_each_word_as_one_datagram(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        unit = ServiceManager(str(tmp_path / "notify"))
        unit.ready("armed")
        unit.working()
        unit.reloading()
        unit.stopping()
        said = [manager.recv(4096).decode() for _ in range(4)]
    assert said[0] == "READY=1\nSTATUS=armed"
    assert said[1] == "WATCHDOG=1"
    assert said[2].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert said[3] == "STOPPING=1"


def test_outside_systemd_nothing_is_said() -> None:
    ServiceManager(None).ready("armed")


def test_a_manager_that_is_gone_never_stops_the_unit(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "nobody")).working()


def test_a_manager_that_does_not_read_never_stops_the_unit(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        unit = ServiceManager(str(tmp_path / "notify"))
        for _ in range(2000):
            unit.working()
