"""The lamp, or the relay before it."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import TYPE_CHECKING

import structlog
from gpiozero import OutputDevice

from agent.hw.kit import HardwareLost
from agent.hw.patterns import PATTERNS
from agent.signals import LightPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpiozero.pins import Factory

    from agent.config.settings import LampSettings
    from agent.hw.kit import LostOrBack
    from agent.hw.patterns import Step

log = structlog.get_logger()

RETRY_S = 1.0
"""How long a lamp that cannot be switched is left alone before the pattern is tried again."""


class Lamp:
    """Plays light patterns on one pin; off from construction and after `close`.

    Needs a running event loop. Nothing here raises into the caller: a pin that cannot be claimed or written is told
    to `on_lost`, on the loop, and tried again each second.

    After `close` the pin floats, so the relay board's own pull must mean off as well.
    """

    def __init__(self, settings: LampSettings, factory: Factory, on_lost: LostOrBack) -> None:
        self._settings = settings
        self._factory = factory
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._device: OutputDevice | None = None
        self._lost = False
        self._pattern = LightPattern.OFF
        self._steps: Iterator[Step] = cycle(PATTERNS[LightPattern.OFF])
        self._timer: asyncio.TimerHandle | None = None
        self._play()

    @property
    def pattern(self) -> LightPattern:
        """What it was last asked to show."""
        return self._pattern

    def show(self, pattern: LightPattern) -> None:
        """Show this pattern until the next one; its first level is on the pin when this returns.

        Asking again for what is shown changes nothing: a restarted blink would be one flash too many.
        """
        if pattern is self._pattern and not self._lost:
            return
        self._pattern = pattern
        self._steps = cycle(PATTERNS[pattern])
        self._play()

    def close(self) -> None:
        """Switch off and give the pin back."""
        self._stop_timer()
        self._switch(lit=False)
        if self._device is not None:
            self._device.close()
            self._device = None

    def _play(self) -> None:
        """Take the next step; the one after counts from now, so a late loop never makes the lamp flash faster."""
        self._stop_timer()
        step = next(self._steps)
        wait_s = step.for_s if self._switch(lit=step.lit) else RETRY_S
        if wait_s is not None:
            self._timer = self._loop.call_later(wait_s, self._play)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _switch(self, *, lit: bool) -> bool:
        """Put the level on the pin; False when that fails."""
        try:
            if self._device is None:
                self._device = OutputDevice(
                    self._settings.pin,
                    active_high=self._settings.active == "high",
                    initial_value=lit,
                    pin_factory=self._factory,
                )
            else:
                self._device.value = lit
        except Exception as error:  # noqa: BLE001 - every pin library has its own errors; all are told
            self._tell_lost(
                f"the lamp on GPIO {self._settings.pin} cannot be switched: {error or type(error).__name__}"
            )
            return False
        if self._lost:
            self._lost = False
            log.info("lamp_back", pin=self._settings.pin)
            self._loop.call_soon(self._on_lost, None)
        return True

    def _tell_lost(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            log.error("lamp_lost", pin=self._settings.pin, reason=reason)
            self._loop.call_soon(self._on_lost, HardwareLost(reason))
