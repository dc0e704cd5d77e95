"""A helper may die, hang or lose its device: the daemon goes on, says so once, and says once that it is over."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.children import start_child
from agent.clock import SystemClock
from agent.config.filming import CameraSettings
from agent.config.hearing import PhraseSettings, VoiceSettings
from agent.config.settings import Config, HardwareSettings, UnitSettings, UplinkSettings
from agent.helpers import owner, patience, starting
from agent.helpers.messages import HearingStands, MediaMissed, PhraseHeard, StillRequest, StripRequest
from agent.helpers.owner import PROGRAM, Helper, HelperState
from agent.helpers.process import reap_let_go
from agent.helpers.talk import AT_ONCE
from agent.signals import FaultCleared, Faulted
from fakes import SPEECH
from fakes.sound import StreetSound
from fakes.street import Street

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Callable, Sequence

    from agent.helpers.translation import Told
    from agent.signals import Signal

LIMIT_S = 120.0
UNRULY = Path(__file__).with_name("unruly.py")


class Daemon:
    """What the daemon keeps of a helper."""

    def __init__(self, config: Config, name: str, program: Sequence[str] = PROGRAM) -> None:
        self.signals: list[Signal] = []
        self.events: list[Told] = []
        self.helper = Helper(name, config, SystemClock(), self.signals.append, self.events.append, program=program)

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
    with pytest.MonkeyPatch.context() as patch:
        for module in (patience, owner):  # to load a voice model takes a busy machine longer than a unit
            patch.setattr(module, "STARTED_WITHIN_S", LIMIT_S / 2)
        async with _on_street(config, folder, daemon) as street:
            yield street, daemon


@asynccontextmanager
async def _on_street(config: Config, folder: Path, daemon: Daemon) -> AsyncIterator[Street]:
    async with Street(config, folder, StreetSound()) as street:
        running = asyncio.create_task(daemon.helper.run())
        try:
            await daemon.until(lambda: daemon.helper.state is HelperState.WORKING)
            yield street
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@asynccontextmanager
async def owning(how: str, folder: Path) -> AsyncIterator[Daemon]:
    """A daemon whose helper is unruly in its first life."""
    daemon = Daemon(unit(folder), "recorder", (sys.executable, str(UNRULY), how, str(folder)))
    running = asyncio.create_task(daemon.helper.run())
    try:
        yield daemon
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


async def test_a_line_that_came_while_the_daemon_itself_stood_still_is_read() -> None:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    with theirs:
        due_s = asyncio.get_running_loop().time() + 0.2
        reading = asyncio.create_task(owner._next_line(reader, due_s))
        await asyncio.sleep(0)  # it waits
        theirs.sendall(b"a call for help\n")
        while asyncio.get_running_loop().time() < due_s + 0.1:
            pass  # as on a card that swaps
        assert await reading == b"a call for help\n"
    writer.close()
    await writer.wait_closed()


async def test_a_helper_that_takes_longer_to_start_than_it_is_granted_comes_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is so busy is so for the next process, too."""
    monkeypatch.setattr(patience, "STARTED_WITHIN_S", 0.05)
    monkeypatch.setattr(owner, "BACKOFF_S", (0.0,))
    daemon = Daemon(unit(tmp_path), "listener")
    async with _on_street(daemon.helper._config, tmp_path, daemon):
        assert daemon.helper.starts > 1


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
    daemon.helper.request(StripRequest("asked-too-early", SystemClock().at(0.0)))
    async with Street(config, tmp_path, StreetSound()):
        running = asyncio.create_task(daemon.helper.run())
        await daemon.until(
            lambda: {each.media for each in daemon.events if isinstance(each, MediaMissed)} == {"still", "strip"}
        )
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_helper_ends_with_its_daemon(tmp_path: Path) -> None:
    async with listening(tmp_path) as (_, daemon):
        pid = daemon.helper.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("how", "why"), [("flood", "flooded its line"), ("complain", "flooded its line"), ("half", "hung")]
)
async def test_a_helper_that_misuses_its_line_is_replaced(how: str, why: str, tmp_path: Path) -> None:
    async with owning(how, tmp_path) as daemon:
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        assert why in next(each.text for each in daemon.signals if isinstance(each, Faulted) and each.code == "down")
        assert daemon.helper.facts()["ladder"] == {"pipeline": 0, "process": 1, "reboot": 0, "unkillable": 0}
        assert len(daemon.signals) <= 3 * AT_ONCE, "what it says is bounded, and so is what is made of it"


async def test_a_helper_that_never_reads_is_replaced_and_its_successor_is_asked(tmp_path: Path) -> None:
    async with owning("deaf", tmp_path) as daemon:
        await daemon.until(lambda: daemon.helper.last_work)
        for number in range(5000):  # more than the line and its buffers hold
            daemon.helper.request(StillRequest(f"alert-{number}", SystemClock().at(0.0)))
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        assert "does not read" in next(each.text for each in daemon.signals if isinstance(each, Faulted))
        assert daemon.helper.starts == 2, "the same requests do not drown the next one"


async def test_each_rung_is_counted_and_told_with_its_restore(tmp_path: Path) -> None:
    async with owning("give-up", tmp_path) as daemon:
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        down = next(each.text for each in daemon.signals if isinstance(each, Faulted) and each.code == "down")
        assert "after 2 restarts of its device" in down
        await daemon.until(lambda: daemon.told(FaultCleared, "camera-lost"))
        assert daemon.helper.facts()["ladder"] == {"pipeline": 2, "process": 1, "reboot": 0, "unkillable": 0}
        standing = daemon.helper.ladder.standing(SystemClock().now().monotonic_s)
        assert (standing.pipeline, standing.process, standing.causes) == (0, 0, frozenset()), (
            "it works: nothing was tried"
        )
        assert daemon.helper.footage is not None
        assert daemon.helper.footage.facts == {"keptDays": 12.5, "oldest": None}
        assert daemon.helper.hearing == HearingStands(7.5, {"blocksPerS": 9.9})


async def test_a_helper_that_does_not_get_over_its_trouble_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "TROUBLED_FOR_S", 4.0)
    async with owning("stuck", tmp_path) as daemon:
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        down = next(each.text for each in daemon.signals if isinstance(each, Faulted) and each.code == "down")
        assert "did not get over its trouble (camera-lost)" in down


async def test_a_program_that_cannot_be_started_is_a_rung_too(tmp_path: Path) -> None:
    daemon = Daemon(unit(tmp_path), "recorder", (str(tmp_path / "nowhere"),))
    running = asyncio.create_task(daemon.helper.run())
    await daemon.until(lambda: daemon.helper.ladder.process)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert daemon.told(Faulted, "down") == 1


async def test_a_helper_that_cannot_be_killed_is_left_behind_until_it_ends(tmp_path: Path) -> None:
    async with owning("unkillable", tmp_path) as daemon:
        await daemon.until(lambda: daemon.helper.pid)
        first = daemon.helper.pid
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        assert daemon.told(Faulted, "unkillable") == 1
        assert daemon.helper.pid != first, "a new one works while the old one is there"
        assert daemon.helper.facts()["ladder"]["unkillable"] == 1
        (tmp_path / "let-go").touch()
        await daemon.until(lambda: daemon.told(FaultCleared, "unkillable"))
        assert daemon.helper.facts()["ladder"]["unkillable"] == 0


class SlowStart:
    """Programs that start when the disk gives them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._given = threading.Event()
        self.asked = threading.Event()
        patch.setattr(starting, "start_child", self._start_child)
        patch.setattr(starting, "START_WITHIN_S", 0.1)

    def answer(self) -> None:
        """Give what was asked for, and all that will be."""
        self._given.set()

    def _start_child(self, argv: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - Popen's own
        self.asked.set()
        self._given.wait(LIMIT_S)
        return start_child(argv, **how)


async def test_a_start_that_hangs_with_the_disk_is_a_fault_until_the_disk_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowStart(monkeypatch)
    (tmp_path / "lived-before").touch()
    async with owning("well", tmp_path) as daemon:
        await daemon.until(lambda: daemon.told(Faulted, "start-hangs"))
        assert (daemon.helper.state, daemon.helper.pid) == (HelperState.STARTING, None)
        disk.answer()
        await daemon.until(lambda: daemon.helper.state is HelperState.WORKING)
        assert daemon.helper.starts == 1, "the start that hung is the one that works: nobody hung beside it"
        assert [(type(each), getattr(each, "code", "")) for each in daemon.signals] == [
            (Faulted, "start-hangs"),
            (FaultCleared, "start-hangs"),
        ]


async def test_a_daemon_ends_though_a_start_hangs_and_a_child_that_comes_after_all_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowStart(monkeypatch)
    (tmp_path / "lived-before").touch()
    async with owning("well", tmp_path) as daemon:
        await daemon.until(disk.asked.is_set)
    disk.answer()
    await daemon.until(lambda: not any(each.name == "helper-start" for each in threading.enumerate()))
    await asyncio.sleep(0)  # the thread has given the child to the loop
    await daemon.until(lambda: not reap_let_go())
    assert daemon.helper.starts == 0


async def test_a_start_that_hangs_and_then_fails_is_a_rung_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowStart(monkeypatch)
    daemon = Daemon(unit(tmp_path), "recorder", (str(tmp_path / "nowhere"),))
    running = asyncio.create_task(daemon.helper.run())
    await daemon.until(lambda: daemon.told(Faulted, "start-hangs"))
    disk.answer()
    await daemon.until(lambda: daemon.helper.ladder.process)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert daemon.told(FaultCleared, "start-hangs") == 1
    assert daemon.told(Faulted, "down") == 1


def descriptors() -> int:
    """How many this process holds."""
    return len([*Path("/proc/self/fd").iterdir()])


async def test_a_daemon_ends_though_its_helper_cannot_be_killed(tmp_path: Path) -> None:
    daemon = Daemon(unit(tmp_path), "recorder", (sys.executable, str(UNRULY), "unkillable", str(tmp_path)))
    before = descriptors()
    running = asyncio.create_task(daemon.helper.run())
    try:
        await daemon.until(lambda: daemon.told(Faulted, "unkillable"))
        running.cancel()
        with suppress(asyncio.CancelledError):
            async with asyncio.timeout(LIMIT_S):
                await running
        assert descriptors() == before, "what is left behind holds nothing of ours"
    finally:
        (tmp_path / "let-go").touch()
    await daemon.until(lambda: not reap_let_go())


async def test_a_helper_that_somebody_restarts_comes_back_and_says_who_asked(tmp_path: Path) -> None:
    async with listening(tmp_path) as (_, daemon):
        first = daemon.helper.pid
        daemon.helper.restart("op-1")
        await daemon.until(lambda: daemon.told(FaultCleared, "down"))
        assert daemon.helper.pid != first
        fault = next(signal for signal in daemon.signals if isinstance(signal, Faulted))
        assert "was ended on request of op-1" in fault.text
