"""A microphone that is unplugged, a sound server that dies and one that stands still: each is told once and got over.

With the real listener process, real PortAudio and real PulseAudio, under the daemon's own hands.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.config.hearing import PhraseSettings, VoiceSettings
from agent.config.settings import Config, HardwareSettings, UnitSettings, UplinkSettings
from agent.helpers.messages import PhraseHeard
from agent.helpers.owner import Helper, HelperState
from agent.signals import FaultCleared, Faulted
from agent.voice.watch import LOST
from fakes import SPEECH
from tests.hw.sound_server import DEVICE, SoundServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.helpers.translation import Told
    from agent.signals import Signal

LIMIT_S = 60.0
CALL = SPEECH / "help-me-slt.wav"


class Daemon:
    """What the daemon keeps of its listener."""

    def __init__(self, folder: Path) -> None:
        config = Config(
            profile="p",
            unit=UnitSettings(id="u", org="o", name="n", location="l"),
            uplink=UplinkSettings(broker="mqtt://localhost:1883", insecure_lab=True),
            hardware=HardwareSettings(kit="pi"),
            voice=VoiceSettings(
                enabled=True, device=DEVICE, phrases=(PhraseSettings(say="help me", label="help-me"),), refractory_s=1
            ),
            state_folder=folder,
        )
        self.signals: list[Signal] = []
        self.heard: list[Told] = []
        self.listener = Helper("listener", config, SystemClock(), self.signals.append, self.heard.append)

    def told(self) -> list[tuple[type[Signal], str]]:
        """Faults and their ends, in order."""
        return [(type(each), each.code) for each in self.signals if isinstance(each, Faulted | FaultCleared)]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110 - processes cannot set an event
                await asyncio.sleep(0.02)


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SoundServer]:
    server = SoundServer(tmp_path)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    try:
        await asyncio.to_thread(server.begin)
        yield server
    finally:
        await asyncio.to_thread(server.end)


@pytest.fixture
async def daemon(server: SoundServer, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon whose listener hears the street."""
    assert server
    daemon = Daemon(tmp_path)
    running = asyncio.create_task(daemon.listener.run())
    try:
        await daemon.until(lambda: daemon.listener.state is HelperState.WORKING)
        assert not daemon.told()
        yield daemon
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def hears_a_call(daemon: Daemon, server: SoundServer) -> None:
    """Sound flows, to the last instance."""
    daemon.heard.clear()
    await asyncio.to_thread(server.say, CALL)
    await daemon.until(lambda: any(isinstance(event, PhraseHeard) for event in daemon.heard))


async def test_a_microphone_that_is_unplugged_is_told_once_and_heard_when_it_is_back(
    daemon: Daemon, server: SoundServer
) -> None:
    await asyncio.to_thread(server.unplug)
    await daemon.until(lambda: daemon.told() == [(Faulted, LOST)])
    await asyncio.to_thread(server.plug_in)
    await daemon.until(lambda: daemon.told() == [(Faulted, LOST), (FaultCleared, LOST)])
    await hears_a_call(daemon, server)
    assert daemon.listener.starts == 1, "the same process found it again"
    assert len(daemon.told()) == 2


async def test_a_sound_server_that_dies_is_told_once_and_its_successor_is_heard(
    daemon: Daemon, server: SoundServer
) -> None:
    await asyncio.to_thread(server.kill)
    await daemon.until(lambda: daemon.told() == [(Faulted, LOST)])
    await asyncio.to_thread(server.begin)
    await daemon.until(lambda: daemon.told() == [(Faulted, LOST), (FaultCleared, LOST)])
    await hears_a_call(daemon, server)
    assert daemon.listener.starts == 1
    assert len(daemon.told()) == 2


async def test_a_sound_server_that_stands_still_costs_the_listener_and_not_the_daemon(
    daemon: Daemon, server: SoundServer
) -> None:
    """PortAudio hangs in it for ever, even when it goes on: only the end of that process frees what it holds."""
    await asyncio.to_thread(server.freeze)
    await daemon.until(lambda: daemon.listener.starts == 2)
    gone = [(Faulted, LOST), (Faulted, "device-hangs"), (Faulted, "down")]
    assert daemon.told() == gone, "each once: the sound, why a new process is needed, and that there is none"
    await asyncio.to_thread(server.thaw)
    await daemon.until(lambda: daemon.listener.state is HelperState.WORKING)
    assert sorted(code for kind, code in daemon.told() if kind is FaultCleared) == sorted(code for _, code in gone)
    await hears_a_call(daemon, server)
