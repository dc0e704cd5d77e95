from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.health.watch import HealthWatch
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from agent.signals import Signal


def config(state_folder: Path) -> Config:
    unit = UnitSettings(id="u", org="o", name="n", location="l")
    uplink = UplinkSettings(broker="mqtt://localhost:1883", insecure_lab=True)
    return Config(profile="p", unit=unit, uplink=uplink, state_folder=state_folder)


async def test_a_fault_is_reported_once_and_its_end_once(tmp_path: Path) -> None:
    reported: list[Signal] = []
    watch = HealthWatch(config(tmp_path / "volume"), SystemClock(), reported.append)
    await watch.look()
    await watch.look()
    (tmp_path / "volume").mkdir()
    await watch.look()
    await watch.look()
    storage = [each for each in reported if isinstance(each, Faulted | FaultCleared) and each.part == "storage"]
    assert [type(each) for each in storage] == [Faulted, FaultCleared]


async def test_a_device_that_hangs_is_a_fault_and_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()  # a read from it hangs until somebody writes
    monkeypatch.setattr("agent.health.storage.check", lambda _: os.read(reading, 1))
    monkeypatch.setattr("agent.health.watch.READ_WITHIN_S", 0.1)
    reported: list[Signal] = []
    watch = HealthWatch(config(tmp_path), SystemClock(), reported.append)
    assert await watch.look() == {}
    assert await watch.look() == {}
    hangs = [each for each in reported if isinstance(each, Faulted) and each.code == "hangs"]
    assert len(hangs) == 1
    os.write(writing, b"!")
    os.close(writing)
    os.close(reading)
