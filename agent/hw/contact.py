"""One claimed input pin, told edge by edge.

`DigitalInputDevice` for every kind: gpiozero's `MotionSensor` polls ten times a second and dies silently of one
exception (io-lab section 4, peers.md A.3).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gpiozero import DigitalInputDevice

from agent.hw.kit import HardwareLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpiozero.pins import Factory

    from agent.config.settings import InputSettings


class Contact:
    """An input as its configuration means it: active or not, whatever the wiring makes of that.

    `on_edge(at_s, active)` is called for each edge on the pin library's own thread, with the time on CLOCK_MONOTONIC.
    What it raises is counted in `failures` and goes no further: lgpio has one thread for all pins, and it ends with
    the first exception.

    Raises:
        HardwareLost: the pin cannot be claimed.
    """

    def __init__(self, settings: InputSettings, factory: Factory, on_edge: Callable[[float, bool], None]) -> None:
        self._name = f"GPIO {settings.pin}"
        self._on_edge = on_edge
        self.failures = 0
        # gpiozero fixes the active level by the pull; an opened tamper loop is pulled up *and* active high.
        self._flipped = (settings.active == "high") == (settings.pull == "up")
        try:
            self._device = DigitalInputDevice(
                settings.pin,
                pull_up={"up": True, "down": False, "none": None}[settings.pull],
                active_state=True if settings.pull == "none" else None,
                bounce_time=None,
                pin_factory=factory,
            )
        except Exception as error:
            # Every pin library has its own errors, some of them plain Exception.
            msg = f"{self._name} cannot be claimed: {error or type(error).__name__}"
            raise HardwareLost(msg) from error
        self._device.when_activated = lambda: self._edge(active=not self._flipped)
        self._device.when_deactivated = lambda: self._edge(active=self._flipped)

    def read(self) -> bool:
        """Whether it is active now.

        Raises:
            HardwareLost: the pin cannot be read.
        """
        try:
            return bool(self._device.value) != self._flipped
        except Exception as error:
            msg = f"{self._name} cannot be read: {error or type(error).__name__}"
            raise HardwareLost(msg) from error

    def close(self) -> None:
        """Give the pin back."""
        self._device.close()

    def _edge(self, *, active: bool) -> None:
        at_s = time.monotonic()
        try:
            self._on_edge(at_s, active)
        except Exception:  # noqa: BLE001 - see the class: it is counted here and told by whoever reads the count
            self.failures += 1
