"""The daemon tells its rules what is proved: at the start, when there is a new one, and when a disk tells at last."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.commission import room as rooms
from agent.commission.parts import fingerprints
from agent.commission.room import CommissioningRoom
from agent.commission.seal import Signer
from agent.commission.standing import FILE_NAME, put, withdraw
from agent.signals import FaultCleared, Faulted, Proved
from fakes.authority import Authority
from tests.alongside import alongside
from tests.incidents.driven_unit import config
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.config.settings import Config
    from agent.signals import Signal

SECRET = b"s" * 32


class Told:
    """A room, and what it reported."""

    def __init__(self, settings: Config) -> None:
        self.signals: list[Signal] = []
        self.room = CommissioningRoom(settings, SystemClock(), self.signals.append)

    @property
    def proved(self) -> list[tuple[bool, set[str]]]:
        return [(each.nothing, {*each.besides}) for each in self.signals if isinstance(each, Proved)]

    async def comes(self, count: int) -> None:
        await until(lambda: len(self.proved) == count, f"{count} times read")


@asynccontextmanager
async def running(settings: Config) -> AsyncIterator[Told]:
    told = Told(settings)
    await told.room.begin()
    async with alongside(told.room.run(lambda: None)):
        yield told


@pytest.fixture
def unit(tmp_path: Path) -> Config:
    """A unit that was commissioned."""
    settings = config(state_folder=tmp_path)
    files = Authority(tmp_path / "authority").issue_client("hk-001")
    result = {"passed": True, "parts": fingerprints(settings, SECRET), "ended": "2026-11-22"}
    put(tmp_path, Signer.load(files.key_file, files.cert_file).seal(result), SECRET)
    return settings


async def test_a_commissioned_unit_tells_no_fault(unit: Config) -> None:
    async with running(unit) as told:
        assert told.proved == [(False, set())]
        assert len(told.signals) == 1
        assert told.room.facts()["commissioning"]["state"] == "passed"


async def test_a_withdrawn_one_is_known_when_somebody_says_so(unit: Config) -> None:
    async with running(unit) as told:
        withdraw(unit.state_folder)
        told.room.read_again()
        await told.comes(2)
        assert told.proved[-1] == (True, set())


async def test_a_changed_sensor_is_a_fault_until_it_is_proved(unit: Config) -> None:
    inputs = (unit.inputs[0].model_copy(update={"pin": 26}), *unit.inputs[1:])
    changed = unit.model_copy(update={"inputs": inputs})
    async with running(changed) as told:
        assert told.proved == [(False, {"panic-1"})]
        assert [(each.part, each.code) for each in told.signals if isinstance(each, Faulted)] == [
            ("commissioning", "partly")
        ]
        withdraw(unit.state_folder)
        told.room.read_again()
        await told.comes(2)
        assert [each.code for each in told.signals if isinstance(each, FaultCleared)] == ["partly"]


async def test_a_disk_that_tells_at_last_is_believed(unit: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "AGAIN_S", 0.05)
    path = unit.state_folder / FILE_NAME
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()  # a read of it fails, as one of a broken disk does
    async with running(unit) as told:
        assert told.proved[0] == (False, set()), "what was proved before is taken for proved"
        assert told.room.facts()["commissioning"]["state"] == "unreadable"
        path.rmdir()
        path.write_bytes(kept)
        await until(lambda: told.room.facts()["commissioning"]["state"] == "passed", "it was read")
