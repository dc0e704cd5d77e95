"""From edges on pins to signals."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from gpiozero import DigitalInputDevice

from agent.config.settings import InputKind, InputSettings
from agent.hw import inputs as inputs_module
from agent.hw.inputs import Inputs
from agent.signals import FaultCleared, Faulted, Restored, SensorKind, Signal, Triggered
from tests.hw.wires import BenchClock, Wires, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PANIC = InputSettings(name="panic-1", kind=InputKind.BUTTON, pin=17)
SLOW_TO_SETTLE = PANIC.model_copy(update={"settle_ms": 25.0})
"""Bounces driven by a thread may last some milliseconds on a busy machine."""
SECOND_PANIC = InputSettings(name="panic-2", kind=InputKind.BUTTON, pin=22, settle_ms=25.0)
PIR = InputSettings(name="pir-1", kind=InputKind.PIR, pin=27, active="high", pull="down")
DOOR = InputSettings(name="door", kind=InputKind.TAMPER, pin=23, active="high", pull="up")
MAINS = InputSettings(name="mains", kind=InputKind.MAINS, pin=24, active="high", pull="none")


class Heard(list[Signal]):
    """What the inputs reported, in order."""

    rereads = 0

    def of(self, sensor: str) -> list[type[Signal]]:
        return [type(s) for s in self if isinstance(s, Triggered | Restored) and s.sensor == sensor]

    def faults(self, code: str) -> list[type[Signal]]:
        return [type(s) for s in self if isinstance(s, Faulted | FaultCleared) and s.code == code]


@contextlib.asynccontextmanager
async def watching(
    wires: Wires, *settings: InputSettings, report: Callable[[Signal], None] | None = None
) -> AsyncIterator[tuple[Inputs, Heard]]:
    """The inputs of a unit, running; at rest unless the wires say otherwise."""
    heard = Heard()

    def working() -> None:
        heard.rereads += 1

    inputs = Inputs(settings, wires, BenchClock(), report or heard.append)
    running = asyncio.create_task(inputs.run(working))
    await asyncio.sleep(0)  # what is active already has been counted now
    try:
        yield inputs, heard
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        inputs.close()


@pytest.fixture
def quick_reread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_module, "REREAD_EVERY_S", 0.02)


async def test_a_press_of_30_ms_counts(wires: Wires) -> None:
    async with watching(wires, PANIC) as (_, heard):
        wires.press(17, for_s=0.030)
        await until(lambda: len(heard) == 2)

    pressed, released = heard
    assert isinstance(pressed, Triggered)
    assert isinstance(released, Restored)
    assert (pressed.sensor, pressed.kind) == ("panic-1", SensorKind.BUTTON)
    assert pressed.at.later(0.030) <= released.at


async def test_a_press_counts_whole_when_the_loop_is_busy_all_the_while(wires: Wires) -> None:
    async with watching(wires, PANIC) as (_, heard):
        wires.press(17, for_s=0.030)
        time.sleep(0.1)  # noqa: ASYNC251 - the loop is blocked on purpose
        await until(lambda: len(heard) == 2)

    assert heard.of("panic-1") == [Triggered, Restored]


async def test_a_bouncing_press_is_one_call_for_help(wires: Wires) -> None:
    async with watching(wires, SLOW_TO_SETTLE) as (_, heard):
        wires.bounce(17, times=10)
        await until(lambda: heard)
        wires.high(17)
        await until(lambda: len(heard) > 1)

    assert heard.of("panic-1") == [Triggered, Restored]


async def test_a_spike_is_nothing(wires: Wires) -> None:
    async with watching(wires, SLOW_TO_SETTLE, SECOND_PANIC) as (_, heard):
        wires.press(17, for_s=0.0)
        wires.low(22)  # settles after anything that the spike could have become
        await until(lambda: heard.of("panic-2"))

    assert heard.of("panic-1") == []


async def test_a_signal_carries_the_moment_of_the_first_edge(wires: Wires) -> None:
    async with watching(wires, PANIC) as (_, heard):
        before_s = wires.low(17)
        after_s = time.monotonic()
        await until(lambda: heard)

    (pressed,) = heard
    assert before_s <= pressed.at.monotonic_s <= after_s


async def test_a_short_pulse_of_a_movement_detector_is_seen(wires: Wires) -> None:
    wires.solder(27, high=False)
    async with watching(wires, PIR) as (_, heard):
        wires.high(27)
        await until(lambda: heard)
        wires.low(27)
        await until(lambda: len(heard) > 1)

    assert heard.of("pir-1") == [Triggered, Restored]


@pytest.mark.parametrize("pull", ["up", "down", "none"])
@pytest.mark.parametrize("active", ["low", "high"])
async def test_active_is_the_level_that_the_configuration_names_whatever_the_pull(
    wires: Wires, pull: str, active: str
) -> None:
    settings = InputSettings.model_validate(
        {"name": "contact", "kind": InputKind.TAMPER, "pin": 5, "active": active, "pull": pull}
    )
    wires.solder(5, high=active == "low")
    async with watching(wires, settings) as (inputs, heard):
        to_active, to_rest = (wires.low, wires.high) if active == "low" else (wires.high, wires.low)
        to_active(5)
        await until(lambda: heard.of("contact") == [Triggered])
        assert inputs.active == {"contact"}
        to_rest(5)
        await until(lambda: heard.of("contact") == [Triggered, Restored])
        assert inputs.active == frozenset()


async def test_inputs_at_rest_say_nothing_at_the_start(wires: Wires) -> None:
    for pin in (27, 23, 24):
        wires.solder(pin, high=False)
    async with watching(wires, PANIC, SECOND_PANIC, PIR, DOOR, MAINS) as (_, heard):
        wires.low(22)
        await until(lambda: heard)

    assert [s.sensor for s in heard if isinstance(s, Triggered)] == ["panic-2"]


async def test_what_is_active_at_the_start_is_triggered_then(wires: Wires) -> None:
    for pin in (27, 23, 24):
        wires.solder(pin, high=True)
    async with watching(wires, PIR, DOOR, MAINS) as (_, heard):
        await until(lambda: len(heard) == 3)

    assert {(s.sensor, s.kind) for s in heard if isinstance(s, Triggered)} == {
        ("pir-1", SensorKind.PIR),
        ("door", SensorKind.TAMPER),
        ("mains", SensorKind.MAINS),
    }


async def test_a_button_held_over_a_restart_is_a_help_call(wires: Wires) -> None:
    wires.solder(17, high=False)
    async with watching(wires, PANIC) as (_, heard):
        await until(lambda: heard)
        wires.high(17)
        await until(lambda: len(heard) > 1)

    assert heard.of("panic-1") == [Triggered, Restored]
    assert heard.faults("stuck") == []


@pytest.mark.parametrize("at_boot", [True, False])
async def test_a_button_that_stays_pressed_is_reported_as_stuck_until_it_is_free(wires: Wires, at_boot: bool) -> None:  # noqa: FBT001
    if at_boot:
        wires.solder(17, high=False)
    async with watching(wires, PANIC.model_copy(update={"stuck_after_s": 0.05})) as (_, heard):
        if not at_boot:
            wires.low(17)
        await until(lambda: heard.faults("stuck") == [Faulted])
        wires.high(17)
        await until(lambda: heard.faults("stuck") == [Faulted, FaultCleared])

    assert [type(signal) for signal in heard] == [Triggered, Faulted, Restored, FaultCleared]
    fault = heard[1]
    assert isinstance(fault, Faulted)
    assert fault.part == "input panic-1"


async def test_only_a_button_can_be_stuck(wires: Wires) -> None:
    quick = {"stuck_after_s": 0.01}
    wires.solder(23, high=True)
    async with watching(wires, DOOR.model_copy(update=quick), PANIC.model_copy(update=quick)) as (_, heard):
        wires.low(17)
        await until(lambda: heard.faults("stuck"))

    assert [s.part for s in heard if isinstance(s, Faulted)] == ["input panic-1"]


@pytest.mark.usefixtures("quick_reread")
async def test_a_lost_edge_is_found_counted_and_acted_on(wires: Wires) -> None:
    async with watching(wires, PANIC) as (inputs, heard):
        wires.lose_edge(17, high=False)
        await until(lambda: heard.of("panic-1") == [Triggered])
        wires.lose_edge(17, high=True)
        await until(lambda: heard.of("panic-1") == [Triggered, Restored])

        assert inputs.edges_missed == {"panic-1": 2}


@pytest.mark.usefixtures("quick_reread")
async def test_every_reading_of_all_inputs_is_a_proof_of_work(wires: Wires) -> None:
    async with watching(wires, PANIC, PIR) as (_, heard):
        await until(lambda: heard.rereads >= 3)


async def test_an_edge_on_its_way_is_not_counted_as_lost(wires: Wires, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_module, "REREAD_EVERY_S", 0.0)
    async with watching(wires, PANIC) as (inputs, heard):
        for presses in range(1, 21):
            wires.low(17)
            await until(lambda n=presses: heard.of("panic-1").count(Triggered) == n)  # type: ignore[misc]
            wires.high(17)
            await until(lambda n=presses: heard.of("panic-1").count(Restored) == n)  # type: ignore[misc]

        assert inputs.edges_missed == {"panic-1": 0}


@pytest.mark.usefixtures("quick_reread")
async def test_a_callback_that_fails_is_told_and_the_press_still_counts(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()

    def refuse(*_: object) -> None:
        msg = "the loop takes no calls"
        raise RuntimeError(msg)

    async with watching(wires, PANIC) as (_, heard):
        with monkeypatch.context() as broken:
            broken.setattr(loop, "call_soon_threadsafe", refuse)
            wires.low(17)  # would raise here if the callback did
        await until(lambda: heard.of("panic-1") == [Triggered])
        await until(lambda: heard.faults("callback") == [Faulted, FaultCleared])
        wires.high(17)
        await until(lambda: heard.of("panic-1") == [Triggered, Restored])


async def test_a_receiver_that_fails_does_not_blind_the_next_signal(wires: Wires) -> None:
    taken: list[Signal] = []

    def clumsy(signal: Signal) -> None:
        taken.append(signal)
        if len(taken) == 1:
            msg = "no room"
            raise LookupError(msg)

    async with watching(wires, PANIC, report=clumsy):
        wires.low(17)
        await until(lambda: len(taken) == 1)
        wires.high(17)
        await until(lambda: len(taken) == 2)

    assert [type(signal) for signal in taken] == [Triggered, Restored]


@pytest.mark.usefixtures("quick_reread")
async def test_a_pin_that_is_taken_is_reported_once_and_claimed_when_it_is_free(wires: Wires) -> None:
    other_program = DigitalInputDevice(17, pull_up=True, pin_factory=wires)
    async with watching(wires, PANIC, SECOND_PANIC) as (_, heard):
        await until(lambda: heard.faults("dead") == [Faulted])
        wires.low(22)
        await until(lambda: heard.of("panic-2") == [Triggered])  # the others work meanwhile
        other_program.close()
        await until(lambda: heard.faults("dead") == [Faulted, FaultCleared])
        wires.low(17)
        await until(lambda: heard.of("panic-1") == [Triggered])

    assert Counter(type(signal) for signal in heard) == {Triggered: 2, Faulted: 1, FaultCleared: 1}


@pytest.mark.usefixtures("quick_reread")
async def test_a_pin_that_cannot_be_read_is_reported_once_and_taken_back(wires: Wires) -> None:
    async with watching(wires, PANIC) as (_, heard):
        wires.pin(17).broken = True
        await until(lambda: heard.faults("dead") == [Faulted])
        wires.pin(17).broken = False
        await until(lambda: heard.faults("dead") == [Faulted, FaultCleared])
        wires.low(17)
        await until(lambda: heard.of("panic-1") == [Triggered])

    fault = next(signal for signal in heard if isinstance(signal, Faulted))
    assert "GPIO 17 cannot be" in fault.text
    assert "bad file descriptor" in fault.text


async def test_after_close_the_pins_are_free_and_nothing_is_reported(wires: Wires) -> None:
    async with watching(wires, PANIC) as (_, heard):
        wires.press(17, for_s=0.0)
    with DigitalInputDevice(17, pull_up=True, pin_factory=wires):
        wires.low(17)
        await asyncio.sleep(0)

    assert heard == []
