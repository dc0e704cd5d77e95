"""What the lamp's pin does."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest
from gpiozero import DigitalInputDevice

from agent.config.settings import LampSettings
from agent.hw import lamp as lamp_module
from agent.hw.lamp import Lamp
from agent.hw.patterns import BLINK_S, PATTERNS
from agent.signals import LightPattern
from tests.hw.wires import Wires, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.hw.kit import HardwareLost

DIRECT = LampSettings(pin=18, active="high")
RELAY = LampSettings(pin=18, active="low")
LIGHTS = [pattern for pattern in LightPattern if pattern is not LightPattern.OFF]


@contextlib.contextmanager
def lamp_on(wires: Wires, settings: LampSettings) -> Iterator[tuple[Lamp, list[HardwareLost | None]]]:
    told: list[HardwareLost | None] = []
    lamp = Lamp(settings, wires, told.append)
    try:
        yield lamp, told
    finally:
        lamp.close()


def levels(wires: Wires) -> list[bool]:
    """Everything the lamp's pin was at since it became an output, in order."""
    return [bool(state.state) for state in wires.pin(18).states[1:]]


def test_every_pattern_that_is_light_begins_with_light() -> None:
    assert {pattern for pattern, steps in PATTERNS.items() if steps[0].lit} == set(LIGHTS)
    assert set(PATTERNS) == set(LightPattern)


@pytest.mark.parametrize("pattern", LightPattern)
def test_no_pattern_flashes_more_than_three_times_in_any_second(pattern: LightPattern) -> None:
    steps = PATTERNS[pattern]
    period_s = sum(step.for_s or float("inf") for step in steps)
    flashes = sum(step.lit for step in steps) if len(steps) > 1 else 0

    assert flashes / period_s <= 3


@pytest.mark.parametrize(("settings", "on"), [(DIRECT, True), (RELAY, False)])
@pytest.mark.parametrize("pattern", LIGHTS)
async def test_the_light_is_on_when_show_returns(
    wires: Wires,
    settings: LampSettings,
    on: bool,  # noqa: FBT001
    pattern: LightPattern,
) -> None:
    with lamp_on(wires, settings) as (lamp, _):
        assert wires.pin(18).state is not on
        lamp.show(pattern)
        assert wires.pin(18).state is on
        lamp.show(LightPattern.OFF)
        assert wires.pin(18).state is not on


async def test_a_relay_that_is_active_low_never_clicks_at_the_start(wires: Wires) -> None:
    wires.solder(18, high=True)  # the relay board's own pull
    with lamp_on(wires, RELAY):
        assert levels(wires) == []


async def test_heard_blinks_on_and_off(wires: Wires) -> None:
    with lamp_on(wires, DIRECT) as (lamp, _):
        wires.pin(18).clear_states()
        lamp.show(LightPattern.HEARD)
        await until(lambda: len(levels(wires)) >= 4)

    assert levels(wires)[:4] == [True, False, True, False]


async def test_the_lamp_never_flashes_faster_to_catch_up_with_a_late_loop(wires: Wires) -> None:
    with lamp_on(wires, DIRECT) as (lamp, _):
        lamp.show(LightPattern.HEARD)
        wires.pin(18).clear_states()
        time.sleep(3 * BLINK_S)  # noqa: ASYNC251 - the loop is blocked on purpose
        await until(lambda: len(levels(wires)) >= 3)

    since_the_last_s = [state.timestamp for state in wires.pin(18).states[1:]]
    assert min(since_the_last_s[:3]) >= BLINK_S * 0.99


async def test_asking_again_for_the_same_pattern_does_not_restart_it(wires: Wires) -> None:
    with lamp_on(wires, DIRECT) as (lamp, _):
        wires.pin(18).clear_states()
        lamp.show(LightPattern.HEARD)
        await until(lambda: levels(wires) == [True, False])
        lamp.show(LightPattern.HEARD)

        assert levels(wires) == [True, False]


@pytest.mark.parametrize(("settings", "off"), [(DIRECT, False), (RELAY, True)])
async def test_close_leaves_the_lamp_off_and_the_pin_free(wires: Wires, settings: LampSettings, off: bool) -> None:  # noqa: FBT001
    with lamp_on(wires, settings) as (lamp, _):
        lamp.show(LightPattern.HEARD)
    with DigitalInputDevice(18, pull_up=None, active_state=True, pin_factory=wires) as pin:
        assert bool(pin.value) is off


async def test_a_lamp_that_cannot_be_switched_is_told_once_and_shows_its_pattern_when_it_is_back(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lamp_module, "RETRY_S", 0.01)
    with lamp_on(wires, DIRECT) as (lamp, told):
        wires.pin(18).broken = True
        lamp.show(LightPattern.HEARD)
        lamp.show(LightPattern.STEADY)
        await until(lambda: told)
        wires.pin(18).broken = False
        await until(lambda: len(told) == 2)

        assert wires.pin(18).state
        lost, back = told
        assert "GPIO 18 cannot be switched: bad file descriptor" in str(lost)
        assert back is None


async def test_a_pin_that_is_taken_is_told_and_claimed_when_it_is_free(
    wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lamp_module, "RETRY_S", 0.01)
    other_program = DigitalInputDevice(18, pull_up=True, pin_factory=wires)
    with lamp_on(wires, DIRECT) as (lamp, told):
        lamp.show(LightPattern.STEADY)
        await until(lambda: told)
        other_program.close()
        await until(lambda: len(told) == 2)

        assert wires.pin(18).state


async def test_close_is_safe_with_a_broken_pin(wires: Wires) -> None:
    with lamp_on(wires, DIRECT) as (lamp, _):
        wires.pin(18).broken = True
        lamp.show(LightPattern.STEADY)
    wires.pin(18).broken = False
