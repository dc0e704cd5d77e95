from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from gpiozero import Button, DigitalInputDevice

from agent.hw.kit import HardwareLost, KitUnusable, load_kit
from fakes.kit import StreetKit
from tests.fakes.on_street import BUTTON, MAINS, PIR, TAMPER, pins_of

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.street import Street


async def test_the_kit_is_found_by_its_entry_point(street: Street) -> None:
    assert isinstance(load_kit("street", {"street": str(street.socket_path)}), StreetKit)


async def test_a_kit_without_the_streets_path_says_what_is_missing() -> None:
    with pytest.raises(KitUnusable, match=r"hardware\.options\.street is missing"):
        StreetKit({})


async def test_without_a_street_there_are_no_pins(tmp_path: Path) -> None:
    kit = StreetKit({"street": str(tmp_path / "street.sock")})
    with pytest.raises(HardwareLost, match="is it running"), kit.pin_factory():
        pass


async def test_every_input_is_at_rest_at_the_start_whatever_its_wiring(street: Street) -> None:
    async with pins_of(street) as pins:
        assert not Button(BUTTON, pull_up=True, pin_factory=pins).is_pressed
        assert not DigitalInputDevice(PIR, pull_up=False, pin_factory=pins).value
        lid = DigitalInputDevice(TAMPER, pull_up=True, pin_factory=pins)
        assert lid.pin.state == 0  # a closed loop to ground, stronger than the pull-up
        assert not DigitalInputDevice(MAINS, pull_up=None, active_state=False, pin_factory=pins).value


async def test_a_press_is_one_edge_down_and_one_edge_up_on_a_real_button(street: Street) -> None:
    seen: list[tuple[str, float]] = []
    async with pins_of(street) as pins:
        button = Button(BUTTON, pull_up=True, pin_factory=pins)
        button.when_pressed = lambda: seen.append(("pressed", time.monotonic()))
        button.when_released = lambda: seen.append(("released", time.monotonic()))
        before_s = time.monotonic()
        pressed_s = await street.press("panic-1", held_s=0.03)
    (first, down_s), (second, up_s) = seen
    assert (first, second) == ("pressed", "released")
    assert before_s <= pressed_s <= down_s
    assert up_s - down_s >= 0.03


async def test_every_verb_reaches_the_input_it_names(street: Street) -> None:
    async with pins_of(street) as pins:
        levels = {pin: pins.pin(pin) for pin in (BUTTON, PIR, TAMPER, MAINS)}
        await street.open("lid")
        await street.cut_mains()
        assert {pin: bool(level.state) for pin, level in levels.items()} == {
            BUTTON: True,
            PIR: False,
            TAMPER: True,
            MAINS: False,
        }
        await street.shut()
        await street.restore_mains()
        assert {pin: bool(level.state) for pin, level in levels.items()} == {
            BUTTON: True,
            PIR: False,
            TAMPER: False,
            MAINS: True,
        }


async def test_an_unknown_input_is_named_with_those_that_exist(street: Street) -> None:
    with pytest.raises(LookupError, match=r"'panic-2'; there are: panic-1, pir-1, lid, mains"):
        await street.hold("panic-2")


@pytest.mark.parametrize("ends_active", [True, False])
async def test_a_worn_contact_bounces_edge_by_edge(street: Street, ends_active: bool) -> None:  # noqa: FBT001
    async with pins_of(street) as pins:
        button = Button(BUTTON, pull_up=True, pin_factory=pins)
        await street.bounce("panic-1", times=5, gap_s=0.001, ends_active=ends_active)
        levels = [bool(state.state) for state in button.pin.states]
        assert levels == [True, *[False, True] * 5][: 10 if ends_active else 11]
        assert button.is_pressed is ends_active


async def test_a_hand_stays_on_the_button_while_no_unit_is_there(street: Street) -> None:
    async with pins_of(street) as pins:
        Button(BUTTON, pull_up=True, pin_factory=pins)
        await street.hold("panic-1")
    async with pins_of(street) as pins:
        assert Button(BUTTON, pull_up=True, pin_factory=pins).is_pressed
    await street.let_go("panic-1")
    async with pins_of(street) as pins:
        assert not Button(BUTTON, pull_up=True, pin_factory=pins).is_pressed


async def test_nobody_needs_to_be_there_for_a_press(street: Street) -> None:
    before_s = time.monotonic()
    assert before_s <= await street.press("panic-1", held_s=0.0) <= time.monotonic()
