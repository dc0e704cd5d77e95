"""Everything on the unit's pins: inputs and lamp, for as long as there are pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.hw.inputs import Inputs
from agent.hw.lamp import Lamp
from agent.signals import FaultCleared, Faulted, LightPattern, Restored, SensorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.hw.kit import HardwareLost, Kit
    from agent.signals import Signal


class Panel:
    """Inputs and lamp; remembers what the lamp should show while the pins are gone."""

    def __init__(self, config: Config, kit: Kit, clock: Clock, report: Callable[[Signal], None]) -> None:
        self._config = config
        self._kit = kit
        self._clock = clock
        self._report = report
        self._lamp: Lamp | None = None
        self._pattern = LightPattern.OFF

    def show(self, pattern: LightPattern) -> None:
        """Show this pattern now, or as soon as there are pins."""
        self._pattern = pattern
        if self._lamp is not None:
            self._lamp.show(pattern)

    async def run(self, working: Callable[[], None]) -> None:
        """Hold the pins until cancelled; then the lamp is off and every pin is free.

        Args:
            working: Called each time all inputs were read.

        Raises:
            HardwareLost: there are no pins here, for now.
        """
        with self._kit.pin_factory() as factory:
            if self._config.lamp is not None:
                self._lamp = Lamp(self._config.lamp, factory, self._lamp_lost_or_back)
                self._lamp.show(self._pattern)
            inputs = Inputs(self._config.inputs, factory, self._clock, self._report)
            told = False

            def read() -> None:
                nonlocal told
                if not told:
                    told = True
                    self._tell_what_rests(inputs.active)
                working()

            try:
                await inputs.run(read)
            finally:
                inputs.close()
                if self._lamp is not None:
                    self._lamp.close()
                    self._lamp = None

    def _tell_what_rests(self, active: frozenset[str]) -> None:
        """What is at rest now may have been active when the last life of the unit ended: that is over."""
        now = self._clock.now()
        for each in self._config.inputs:
            if each.name not in active:
                self._report(Restored(each.name, SensorKind(each.kind.value), now))

    def _lamp_lost_or_back(self, lost: HardwareLost | None) -> None:
        now = self._clock.now()
        self._report(FaultCleared("lamp", "lost", now) if lost is None else Faulted("lamp", "lost", f"{lost}.", now))
