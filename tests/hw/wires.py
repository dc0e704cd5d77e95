"""A bench of wires on gpiozero's mock pins: driven from a thread of their own, as lgpio's alerts come."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gpiozero.pins.mock import MockFactory, MockPin

from agent.clock import ClockQuality, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpiozero.pins import PinInfo

PATIENCE_S = 60.0
"""How long a test waits for what must happen; only a failing one waits this long."""


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, f"did not happen within {PATIENCE_S:g} s"
        await asyncio.sleep(0.001)


class BenchClock:
    """Monotonic time is real, wall time hangs on it."""

    def now(self) -> Moment:
        return self.at(time.monotonic())

    def at(self, monotonic_s: float) -> Moment:
        wall = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=monotonic_s)
        return Moment(monotonic_s, wall, "bench", ClockQuality.SYNCED)


class WiredPin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A pin on which the wire is stronger than the pull resistor, and which can break."""

    def __init__(self, factory: Wires, info: PinInfo) -> None:
        super().__init__(factory, info)
        self.broken = False

    def _change_state(self, value: float) -> bool:
        wire = self.factory.levels.get(self.info.name)
        changed: bool = super()._change_state(value if wire is None or self._function == "output" else wire)
        return changed

    def _get_state(self) -> bool:
        if self.broken:
            msg = "bad file descriptor"
            raise OSError(msg)
        return bool(super()._get_state())

    def _set_state(self, value: float) -> None:
        if self.broken:
            msg = "bad file descriptor"
            raise OSError(msg)
        super()._set_state(value)


class Wires(MockFactory):  # type: ignore[misc]  # gpiozero ships no types
    """What is wired to the header."""

    def __init__(self) -> None:
        self.levels: dict[str, bool] = {}
        super().__init__(pin_class=WiredPin)
        self._thread = ThreadPoolExecutor(1, "wires")

    def low(self, gpio: int) -> float:
        """Pull the wire low; give the moment just before, on CLOCK_MONOTONIC."""
        return self._thread.submit(self._drive, gpio, high=False).result()

    def high(self, gpio: int) -> float:
        """Pull the wire high; give the moment just before."""
        return self._thread.submit(self._drive, gpio, high=True).result()

    def press(self, gpio: int, for_s: float) -> None:
        """Pull the wire low for this long; returns at once."""
        self._thread.submit(self._press, gpio, for_s)

    def bounce(self, gpio: int, times: int) -> None:
        """Pull the wire low through a contact that bounces so often, within a millisecond."""
        self._thread.submit(self._bounce, gpio, times).result()

    def lose_edge(self, gpio: int, *, high: bool) -> None:
        """Change the wire's level without anybody being told."""
        pin = self.pin(gpio)
        self.levels[pin.info.name] = high
        pin._state = high

    def solder(self, gpio: int, *, high: bool) -> None:
        """Give the wire its level before anybody looks."""
        self.lose_edge(gpio, high=high)

    def tear_down(self) -> None:
        """End the thread; everything must have been closed."""
        self._thread.shutdown()
        self.close()

    def _drive(self, gpio: int, *, high: bool) -> float:
        pin = self.pin(gpio)
        self.levels[pin.info.name] = high
        before_s = time.monotonic()
        if high:
            pin.drive_high()
        else:
            pin.drive_low()
        return before_s

    def _press(self, gpio: int, for_s: float) -> None:
        self._drive(gpio, high=False)
        time.sleep(for_s)
        self._drive(gpio, high=True)

    def _bounce(self, gpio: int, times: int) -> None:
        for _ in range(times):
            self._drive(gpio, high=False)
            self._drive(gpio, high=True)
        self._drive(gpio, high=False)
