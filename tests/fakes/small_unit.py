"""The smallest unit there is, as a process of its own: its lamp is lit while its button is pressed.

Run as `python -m tests.fakes.small_unit SOCKET BUTTON_PIN LAMP_PIN`; it ends when its standard input does.
"""

from __future__ import annotations

import sys

from gpiozero import Button, OutputDevice

from agent.hw.kit import load_kit


def main(socket_path: str, button_pin: str, lamp_pin: str) -> None:
    with load_kit("street", {"street": socket_path}).pin_factory() as pins:
        lamp = OutputDevice(int(lamp_pin), pin_factory=pins)
        button = Button(int(button_pin), pull_up=True, pin_factory=pins)
        button.when_pressed, button.when_released = lamp.on, lamp.off
        if button.is_pressed:
            lamp.on()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
