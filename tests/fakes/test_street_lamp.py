from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from gpiozero import PWMLED, OutputDevice

from agent.config.settings import LampSettings
from agent.hw.lamp import Lamp
from agent.signals import LightPattern
from fakes.lamp import LampChange, pattern_of
from fakes.street import Street
from tests.fakes.on_street import LAMP, CountedSound, eventually, pins_of, unit_config

if TYPE_CHECKING:
    from pathlib import Path

    from agent.hw.kit import HardwareLost


@pytest.mark.parametrize("active", ["high", "low"])
async def test_the_lamps_history_is_what_it_shines_whatever_its_relay(tmp_path: Path, active: str) -> None:
    async with Street(unit_config(active), tmp_path, CountedSound()) as street, pins_of(street) as pins:
        lamp = OutputDevice(LAMP, active_high=active == "high", initial_value=False, pin_factory=pins)
        lamp.on()
        lamp.off()
        lamp.on()
        lamp.close()  # let go: dark
        await eventually(street, lambda: len(street.lamp_history) == 5)
        assert [change.lit for change in street.lamp_history] == [False, True, False, True, False]
        times_s = [change.at_s for change in street.lamp_history]
        assert times_s == sorted(times_s)


@pytest.mark.parametrize("active", ["high", "low"])
async def test_a_dark_lamp_that_is_let_go_does_not_flash(tmp_path: Path, active: str) -> None:
    async with Street(unit_config(active), tmp_path, CountedSound()) as street:
        async with pins_of(street) as pins:
            OutputDevice(LAMP, active_high=active == "high", initial_value=False, pin_factory=pins).close()
        await eventually(street, lambda: "pins" not in street._reception.devices)
        assert [change.lit for change in street.lamp_history] == [False]


async def test_a_dimmed_lamp_is_lit(street: Street) -> None:
    async with pins_of(street) as pins:
        lamp = PWMLED(LAMP, pin_factory=pins)
        lamp.value = 0.2
        lit_s = await street.lamp_is(lit=True)
        lamp.value = 0.0
        await street.lamp_is(lit=False, since_s=lit_s)


@pytest.mark.parametrize("pattern", LightPattern)
async def test_the_units_real_patterns_are_told_apart(street: Street, pattern: LightPattern) -> None:
    async with pins_of(street) as pins:
        losses: list[HardwareLost | None] = []
        lamp = Lamp(LampSettings(pin=LAMP), pins, losses.append)
        lamp.show(pattern)
        await street.lamp_shows(pattern)
        lamp.close()
    assert losses == []


async def test_waiting_in_vain_tells_what_was_seen_instead(street: Street) -> None:
    with pytest.raises(TimeoutError, match="for the lamp to be lit; the lamp changed 0 times and is dark"):
        await street.lamp_is(lit=True, within_s=0.2)


def blinking(*lengths_s: float, first_lit: bool = True) -> list[LampChange]:
    at_s = itertools.accumulate(lengths_s, initial=100.0)
    return [LampChange(100.0 - 50, not first_lit), *map(LampChange, at_s, itertools.cycle([first_lit, not first_lit]))]


@pytest.mark.parametrize(
    ("history", "age_s", "pattern"),
    [
        (blinking(first_lit=False), 10.0, LightPattern.OFF),
        (blinking(), 10.0, LightPattern.STEADY),
        (blinking(), 1.0, None),
        (blinking(0.25, 0.25, 0.25, 0.25), 0.1, LightPattern.HEARD),
        (blinking(0.25, 0.25), 0.1, None),
        (blinking(1.8, 0.2), 0.1, LightPattern.SEEN),
        (blinking(0.25, 0.25, 0.25, 0.25, 1.8, 0.2), 1.7, LightPattern.SEEN),
        ([], 1.0, None),
    ],
)
def test_a_passer_by_tells_the_patterns_apart(
    history: list[LampChange], age_s: float, pattern: LightPattern | None
) -> None:
    now_s = (history[-1].at_s if history else 0.0) + age_s
    assert pattern_of(history, now_s) is pattern
