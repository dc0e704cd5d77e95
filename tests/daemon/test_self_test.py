"""The unit speaks to itself: what its daemon does with a listener that hears, or does not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from agent import self_test
from agent.config.hearing import PhraseSettings, VoiceSettings
from agent.config.settings import Config, SpeakerSettings, UnitSettings, UplinkSettings
from agent.helpers.messages import SelfTest, SelfTestBegun, SelfTestEnded
from agent.hw.lines import line_path
from agent.self_test import CODE, PART, SelfTestRoom
from agent.signals import FaultCleared, Faulted, Line
from agent.voice.self_test import RETRY_S
from tests.uplink.lab import LabClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent.signals import Signal

LIMIT_S = 60.0
LEVEL_DBFS = -25.0


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once; the day itself passes on a clock that is set by hand."""
    monkeypatch.setattr(self_test, "LOOK_EVERY_S", 0.002)


class Column:
    """A unit on its column: a speaker, and a listener that hears it unless it is muffled."""

    def __init__(self) -> None:
        self.clock = LabClock(datetime(2026, 11, 24, 10, 29, 30, tzinfo=UTC))
        self.muffled = False
        self.spoken: list[str] = []
        self.tries = 0
        self.open: list[dict[str, Any]] = []
        self.announcing = False
        self.told: list[Signal] = []
        self.room = SelfTestRoom(
            Config(
                profile="safe-point",
                unit=UnitSettings(id="u", org="o", name="n", location="l"),
                uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
                speaker=SpeakerSettings(enabled=True),
                voice=VoiceSettings(enabled=True, phrases=(PhraseSettings(say="help me", label="help-me"),)),
            ),
            self.clock,
            ask=self._listen,
            speaker=self,
            open_incidents=lambda: self.open,
            announcing=lambda: self.announcing,
            report=self.told.append,
        )

    def _listen(self, request: SelfTest) -> None:
        self.tries = request.number
        asyncio.get_running_loop().call_soon(self.room.take, SelfTestBegun(request.number))

    def say(self, wav_path: str) -> None:
        self.spoken.append(wav_path)
        level_dbfs = None if self.muffled else LEVEL_DBFS
        answer = SelfTestEnded(self.tries, level_dbfs, self.clock.now().monotonic_s)
        asyncio.get_running_loop().call_soon(self.room.take, answer)

    def close(self) -> None:
        """A speaker that is never closed here."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.room.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def until(self, condition: Callable[[], object], step_s: float = 1.0) -> None:
        """Let the day pass until it is so."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self.clock.pass_s(step_s)
                await asyncio.sleep(0.004)

    @property
    def result(self) -> dict[str, Any]:
        return dict(self.room.facts().get("lastSelfTest", {}))


async def test_a_line_that_is_heard_is_told_in_the_heartbeat_and_nowhere_else() -> None:
    column = Column()
    async with column.at_work():
        await column.until(lambda: column.result)
    assert column.spoken == [str(line_path(Line.SOUND_CHECK))]
    assert (column.result["ok"], column.result["attempts"], column.result["levelDbfs"]) == (True, 1, LEVEL_DBFS)
    assert column.told == []


async def test_a_muffled_speaker_is_a_fault_after_three_tries_until_it_is_heard_again() -> None:
    column = Column()
    column.muffled = True
    async with column.at_work():
        await column.until(lambda: column.told, step_s=RETRY_S / 4)
        (fault,) = column.told
        assert isinstance(fault, Faulted)
        assert (fault.part, fault.code) == (PART, CODE)
        assert len(column.spoken) == 3
        assert (column.result["ok"], column.result["attempts"]) == (False, 3)
        assert column.result["levelDbfs"] is None

        column.muffled = False
        column.room.want()
        await column.until(lambda: len(column.told) == 2)
    assert isinstance(column.told[1], FaultCleared)
    assert (column.told[1].part, column.told[1].code) == (PART, CODE)


async def test_a_test_is_put_off_during_a_call_an_operators_message_and_while_somebody_speaks() -> None:
    column = Column()
    column.open = [{"category": "help", "state": "active"}]
    async with column.at_work():
        await column.until(lambda: column.room.facts().get("selfTestPutOff") == "call")
        column.open = []
        column.announcing = True
        await column.until(lambda: column.room.facts().get("selfTestPutOff") == "message")
        column.announcing = False
        column.room.talked()
        await column.until(lambda: column.room.facts().get("selfTestPutOff") == "talk")
        assert column.spoken == []
        await column.until(lambda: column.result)
    assert column.result["ok"]


async def test_a_fault_outlives_a_restart_until_the_unit_has_heard_itself() -> None:
    column = Column()
    column.room.still_faulty()
    async with column.at_work():
        await column.until(lambda: column.result)
    assert [type(signal) for signal in column.told] == [Faulted, FaultCleared]


async def test_a_fault_that_the_disk_tells_of_late_is_over_when_the_unit_has_heard_itself_meanwhile() -> None:
    column = Column()
    async with column.at_work():
        await column.until(lambda: column.result)
        column.room.still_faulty()
    assert [type(signal) for signal in column.told] == [FaultCleared]
