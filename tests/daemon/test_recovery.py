"""The last rung: told before, counted, asked for, and its outcome told by the next boot."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent import reboot, recovery
from agent.helpers.ladder import Ladder
from agent.helpers.last_rung import DAY_S, NO_FRAMES_FOR_S, Call, History, Others
from agent.reboot import HISTORY, REQUEST, RebootDesk, RebootImpossible
from agent.recovery import ASKED, HELPED_WITHIN_S, IN_VAIN, PART, REBOOTED, REFUSED, RETRY_S, TOLD_WITHIN_S, Recovery
from agent.signals import FaultCleared, Faulted
from tests.uplink.lab import LabClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.signals import Signal

LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once; the minutes themselves pass on a clock that is set by hand."""
    monkeypatch.setattr(recovery, "LOOK_EVERY_S", 0.005)


class Machine:
    """What outlives the unit's boots, and what it says in each."""

    def __init__(self, folder: Path) -> None:
        self.state, self.runtime = folder / "state", folder / "run"
        self.clock = LabClock()
        self.others = Others()
        self.once_told: Others | None = None
        """What the unit has to do as soon as it told something: at the least, to carry that."""
        self.said: list[tuple[str, str]] = []
        """("+" or "-", code) of each fault and restore."""
        self.ladder = Ladder(0.0)
        self.turn_on()

    def turn_on(self) -> None:
        """A new boot: folders, and a recorder that is waited for."""
        self.state.mkdir(exist_ok=True)
        self.runtime.mkdir(exist_ok=True)
        self.request.unlink(missing_ok=True)  # a RAM disk
        self.ladder = Ladder(self.clock.now().monotonic_s)
        self.ladder.process_started()

    def no_footage(self) -> None:
        """For long enough, and in spite of everything."""
        for _ in range(7):
            self.ladder.pipeline_restarted()
            self.ladder.process_started()
        self.clock.pass_s(NO_FRAMES_FOR_S)

    @property
    def request(self) -> Path:
        return self.runtime / REQUEST

    @property
    def texts(self) -> list[str]:
        return [code for _, code in self.said]

    async def history(self) -> History:
        return await RebootDesk(self.state, None).history()

    def hear(self, signal: Signal) -> None:
        assert isinstance(signal, Faulted | FaultCleared)
        assert signal.part == PART
        self.said.append(("+" if isinstance(signal, Faulted) else "-", signal.code))
        if isinstance(signal, Faulted) and self.once_told is not None:
            self.others = self.once_told

    @asynccontextmanager
    async def watched(self, *, listened: bool = True, allowed: bool = True) -> AsyncIterator[Recovery]:
        watch = Recovery(
            self.ladder,
            RebootDesk(self.state, self.runtime if listened else None),
            self.clock,
            allowed=allowed,
            others=lambda: self.others,
            report=self.hear,
        )
        running = asyncio.create_task(watch.run(lambda: None))
        try:
            yield watch
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - files cannot set an event
            await asyncio.sleep(0.005)


async def several_looks(watch: Recovery) -> None:
    """Long enough for it to have looked again and again."""
    seen: list[object] = []
    look = watch._look

    async def counted() -> None:
        await look()
        seen.append(None)

    watch._look = counted  # type: ignore[method-assign]
    await until(lambda: len(seen) > 5)


async def test_the_control_room_knows_before_the_machine_goes(machine: Machine) -> None:
    async with machine.watched() as watch:
        await until(lambda: watch.facts()["reboot"] == "works")
        machine.once_told = Others(waiting=1)  # the alert that says it
        machine.no_footage()
        await until(lambda: machine.said)
        assert machine.said == [("+", ASKED)]
        assert not machine.request.exists()
        assert await machine.history() == History()
        machine.others = Others()
        await until(machine.request.exists)
        assert (await machine.history()).total == 1, "counted first"
        await until(lambda: machine.ladder.facts()["reboot"] == 1)
        assert watch.facts() == {"reboots": 1, "inVain": 1, "reboot": "asked"}
    boot, reason, wall = machine.request.read_text().splitlines()
    assert boot == "boot=boot-1"
    assert reason.startswith("reason=no footage was stored for 600 s in spite of 7 restarts of the camera")
    assert wall.startswith("time=2026-11-22T02:24:07")
    assert machine.request.stat().st_mode & 0o777 == 0o644, "who decides is another user"


async def test_an_alert_that_does_not_get_through_is_not_waited_for_for_ever(machine: Machine) -> None:
    async with machine.watched():
        machine.once_told = Others(waiting=1)
        machine.no_footage()
        await until(lambda: machine.said)
        assert not machine.request.exists()
        machine.clock.pass_s(TOLD_WITHIN_S)
        await until(machine.request.exists)


@pytest.mark.parametrize(
    "others", [Others(Call.ACTIVE), Others(Call.OVER), Others(waiting=1, stored=False)], ids=["call", "open", "memory"]
)
async def test_what_comes_in_while_it_is_told_puts_it_off(machine: Machine, others: Others) -> None:
    machine.once_told = replace(others, waiting=1)
    async with machine.watched() as watch:
        machine.no_footage()
        await until(lambda: machine.said)
        machine.clock.pass_s(TOLD_WITHIN_S)
        await until(lambda: ("-", ASKED) in machine.said)
        await several_looks(watch)
        assert not machine.request.exists()
        machine.others, machine.once_told = Others(), None
        await until(machine.request.exists)


async def test_a_unit_that_must_not_does_not(machine: Machine) -> None:
    async with machine.watched(allowed=False) as watch:
        machine.no_footage()
        await several_looks(watch)
        assert watch.facts()["reboot"] == "off"
        assert not machine.request.exists()


async def test_where_nobody_can_be_asked_that_is_said_once_until_footage_is_back(machine: Machine) -> None:
    async with machine.watched(listened=False) as watch:
        machine.no_footage()
        await until(lambda: ("+", REFUSED) in machine.said)
        await several_looks(watch)
        assert machine.said == [("+", ASKED), ("-", ASKED), ("+", REFUSED)]
        machine.clock.pass_s(RETRY_S)
        await until(lambda: len(machine.said) == 5)
        assert machine.said[3:] == [("+", ASKED), ("-", ASKED)], "tried again, and known already"
        machine.ladder.worked(machine.clock.now().monotonic_s)
        await until(lambda: ("-", REFUSED) in machine.said)
    assert await machine.history() == History(), "what was not asked for is not counted"


async def test_a_request_that_comes_to_nothing_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "GRANTED_WITHIN_S", 0.05)
    async with machine.watched() as watch:
        machine.no_footage()
        await until(lambda: ("+", REFUSED) in machine.said)
        assert machine.said == [("+", ASKED), ("-", ASKED), ("+", REFUSED)]
        machine.clock.pass_s(RETRY_S)
        await several_looks(watch)
        assert watch.facts() == {"reboots": 1, "inVain": 1, "reboot": "too-often"}


async def test_what_cannot_be_counted_is_not_asked_for(machine: Machine) -> None:
    (machine.state / f".{HISTORY}.part").mkdir()  # nothing can be written in its place
    async with machine.watched():
        machine.no_footage()
        await until(lambda: ("+", REFUSED) in machine.said)
        assert not machine.request.exists()


async def asked_and_rebooted(machine: Machine) -> None:
    async with machine.watched():
        machine.no_footage()
        await until(machine.request.exists)
    machine.clock.reboot()
    machine.turn_on()
    machine.said.clear()


async def test_the_boot_after_tells_that_it_is_back_and_that_it_helped(machine: Machine) -> None:
    await asked_and_rebooted(machine)
    async with machine.watched() as watch:
        await until(lambda: machine.said)
        assert machine.said == [("-", ASKED), ("+", REBOOTED)]
        machine.clock.pass_s(10)
        machine.ladder.worked(machine.clock.now().monotonic_s)
        await until(lambda: ("-", REBOOTED) in machine.said)
        await until(lambda: watch.facts()["inVain"] == 0)
        await several_looks(watch)
    assert IN_VAIN not in machine.texts
    machine.said.clear()
    async with machine.watched() as watch:
        await several_looks(watch)
    assert machine.said == [], "told once"
    assert (await machine.history()).total == 1, "and never forgotten"


async def test_the_boot_after_tells_that_it_did_not_help(machine: Machine) -> None:
    await asked_and_rebooted(machine)
    async with machine.watched() as watch:
        await until(lambda: machine.said)
        await several_looks(watch)
        assert IN_VAIN not in machine.texts, "not before it had its time"
        machine.clock.pass_s(HELPED_WITHIN_S + 1)
        await until(lambda: ("+", IN_VAIN) in machine.said)
        machine.ladder.worked(machine.clock.now().monotonic_s)
        await until(lambda: {("-", IN_VAIN), ("-", REBOOTED)} <= {*machine.said})


async def test_a_machine_that_restarts_in_vain_stops_doing_so(machine: Machine) -> None:
    await asked_and_rebooted(machine)
    machine.clock.pass_s(DAY_S)
    await asked_and_rebooted(machine)
    async with machine.watched() as watch:
        machine.clock.pass_s(10 * DAY_S)
        machine.no_footage()
        await until(lambda: watch.facts()["reboot"] == "in-vain")
        assert not machine.request.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"asks": 1}', '{"asks": [1], "total": 0, "in_vain": 0}', "\x00" * 100])
async def test_a_history_that_cannot_be_read_is_taken_for_the_worst(machine: Machine, content: str) -> None:
    (machine.state / HISTORY).write_text(content)
    async with machine.watched() as watch:
        machine.no_footage()
        await until(lambda: watch.facts()["reboot"] == "too-often")
        assert not machine.request.exists()
        machine.clock.pass_s(DAY_S)
        await until(machine.request.exists)


async def test_a_disk_that_hangs_holds_nobody_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reboot, "ANSWERS_WITHIN_S", 0.1)
    hanging = machine.state / HISTORY
    os.mkfifo(hanging)  # who reads it waits for somebody who writes
    try:
        assert await machine.history() == History.unknown()
    finally:
        os.close(os.open(hanging, os.O_WRONLY))


async def test_a_history_is_kept_whole_or_not_at_all(machine: Machine) -> None:
    desk = RebootDesk(machine.state, machine.runtime)
    asked = await desk.ask(History(), machine.clock.now(), "a reason")
    (machine.state / f".{HISTORY}.part").mkdir()
    with pytest.raises(RebootImpossible):
        await desk.ask(asked, machine.clock.now(), "another")
    assert await machine.history() == asked
