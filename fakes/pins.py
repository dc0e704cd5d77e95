"""gpiozero's mock pins with the street's wires soldered on.

On real hardware a wire is stronger than the internal resistor: claiming a pin with a pull-up does not release the
button that a hand holds down. `MockPin` drives itself to its pull whenever that is set, so `StreetPin` puts the wire
back on top.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gpiozero.pins.mock import MockFactory, MockPWMPin

from fakes.wire import OutputChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpiozero.pins.pi import PinInfo


class StreetPin(MockPWMPin):  # type: ignore[misc]  # gpiozero ships no types
    """A pin whose input level the street decides, and which tells the street what it puts out."""

    def __init__(self, factory: StreetFactory, info: PinInfo) -> None:
        super().__init__(factory, info)
        self._told: float | None = None
        factory.claimed[self._number] = self  # before the level is read: a drive of this moment is seen by one of us
        self._state: float = factory.levels.get(self._number, self._state)
        self.clear_states()

    def wire_changed(self) -> None:
        """Take the wire's new level; calls the input's callback on this thread, as lgpio's thread does."""
        with self._when_changed_lock:  # not while the device that owns the callback is closing
            if self._function != "input":
                return
            if self._factory.levels[self._number]:
                self.drive_high()
            else:
                self.drive_low()

    def _change_state(self, value: float) -> bool:
        if self._function == "input":
            value = self._factory.levels.get(self._number, value)
        return bool(super()._change_state(value))

    def _set_state(self, value: float) -> None:
        super()._set_state(value)
        self._tell(float(value))

    def _set_function(self, value: str) -> None:
        was_output = self._function == "output"
        super()._set_function(value)
        if was_output and value == "input":
            self._tell(None)

    def _set_frequency(self, value: float | None) -> None:
        if value == self._frequency:
            return  # MockPWMPin goes low here even without PWM: at close that would flash an active-low lamp
        super()._set_frequency(value)
        if self._function == "output":
            self._tell(float(self._state))

    def _tell(self, level: float | None) -> None:
        if level != self._told:
            self._told = level
            self._factory.report(OutputChanged(self._number, level, time.monotonic()))


class StreetFactory(MockFactory):  # type: ignore[misc]  # gpiozero ships no types
    """Makes `StreetPin`s and holds the levels of their wires, whether the unit has claimed them yet or not."""

    def __init__(self, levels: Mapping[int, bool], report: Callable[[OutputChanged], None]) -> None:
        super().__init__(pin_class=StreetPin)
        self.levels = dict(levels)
        self.claimed: dict[int, StreetPin] = {}
        self.report = report
        """Called on the thread that changed the output; must not block."""

    def drive(self, pin: int, level: bool) -> None:  # noqa: FBT001 - a wire is high or low
        """Put this level on a wire."""
        self.levels[pin] = level
        if pin in self.claimed:
            self.claimed[pin].wire_changed()
