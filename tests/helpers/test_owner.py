"""A helper may die, hang or lose its device: the daemon goes on, says so once, and says once that it is over."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.config.settings import (
    CameraSettings,
    Config,
    HardwareSettings,
    PhraseSettings,
    UnitSettings,
    UplinkSettings,
    VoiceSettings,
)
from agent.helpers.messages import MediaMissed, PhraseHeard, StillRequest
from agent.helpers.owner import Helper, HelperState
from agent.signals import FaultCleared, Faulted
from fakes import SPEECH
from fakes.sound import StreetSound
from fakes.street import Street

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.helpers.translation import Told
    from agent.signals import Signal

LIMIT_S = 60.0


class Daemon:
    """What the daemon keeps of a helper."""

    def __init__(self, config: Config, name: str) -> None:
        self.signals: list[Signal] = []
        self.events: list[Told] = []
        self.helper = Helper(name, config, SystemClock(), self.signals.append, self.events.append)

    def told(self, kind: type[Faulted | FaultCleared], code: str) -> int:
        return sum(isinstance(each, kind) and each.code == code for each in self.signals)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110 - processes cannot set an event
                await asyncio.sleep(0.02)


def unit(folder: Path) -> Config:
    return Config(
        profile="p",
        unit=UnitSettings(id="u", org="o", name="n", location="l"),
        uplink=UplinkSettings(broker="mqtt://localhost:1883", insecure_lab=True),
        hardware=HardwareSettings(kit="street", options={"street": str(folder / "street.sock")}),
        camera=CameraSettings(enabled=True, width_px=320, height_px=180),
        voice=VoiceSettings(enabled=True, phrases=(PhraseSettings(say="help me", label="help-me"),)),
        state_folder=folder,
    )


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[tuple[Street, Daemon]]:
    config = unit(folder)
    daemon = Daemon(config, "listener")
    async with Street(config, folder, StreetSound()) as street:
        running = asyncio.create_task(daemon.helper.run())
        try:
            await daemon.until(lambda: daemon.helper.state is HelperState.WORKING)
            yield street, daemon
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_what_the_helper_hears_reaches_the_daemon(tmp_path: Path) -> None:
    async with listening(tmp_path) as (street, daemon):
        await street.say(SPEECH / "help-me-slt.wav")
        await daemon.until(lambda: any(isinstance(event, PhraseHeard) for event in daemon.events))
        assert not daemon.signals


async def test_a_killed_helper_is_a_fault_until_its_successor_works(tmp_path: Path) -> None:
    async with listening(tmp_path) as (_, daemon):
        first = daemon.helper.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        assert daemon.told(Faulted, "down") == 1
        assert daemon.helper.pid != first


async def test_a_hung_helper_is_replaced(tmp_path: Path) -> None:
    async with listening(tmp_path) as (_, daemon):
        first = daemon.helper.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        assert "hung" in next(each.text for each in daemon.signals if isinstance(each, Faulted))
        assert daemon.helper.starts == 2


async def test_a_lost_microphone_is_reported_and_its_return_too(tmp_path: Path) -> None:
    async with listening(tmp_path) as (street, daemon):
        await street.unplug_microphone()
        await daemon.until(lambda: daemon.told(Faulted, "microphone-lost"))
        await street.plug_in_microphone()
        await daemon.until(lambda: daemon.told(FaultCleared, "microphone-lost"))
        assert daemon.helper.starts == 1, "a lost device is no reason for a new process"


async def test_what_no_process_could_answer_is_asked_of_the_next_one(tmp_path: Path) -> None:
    config = unit(tmp_path)
    daemon = Daemon(config, "recorder")
    daemon.helper.request(StillRequest("asked-too-early", SystemClock().at(0.0)))
    async with Street(config, tmp_path, StreetSound()):
        running = asyncio.create_task(daemon.helper.run())
        await daemon.until(lambda: any(isinstance(event, MediaMissed) for event in daemon.events))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_helper_ends_with_its_daemon(tmp_path: Path) -> None:
    async with listening(tmp_path) as (_, daemon):
        pid = daemon.helper.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
