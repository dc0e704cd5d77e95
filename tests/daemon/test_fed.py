"""The watchdog starves as soon as one half of the alarm path stops, however lively the other one is."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from gpiozero.pins.mock import MockFactory

from agent import unit as unit_module
from agent.clock import SystemClock
from agent.config.settings import InputKind, InputSettings
from agent.decisions import Decisions
from agent.hw import inputs as inputs_module
from agent.hw.inputs import Inputs
from agent.notify import ServiceManager
from agent.unit import Unit
from agent.uplink.endpoint import Endpoint
from tests.uplink.lab import make_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

LIMIT_S = 30.0
QUICK_S = 0.01
NEVER_S = 3600.0
"""A part that waits so long hangs, as far as the watchdog of a unit is concerned."""


class PinsAlone:
    """A board with pins and nothing else."""

    @contextlib.contextmanager
    def pin_factory(self) -> Iterator[MockFactory]:
        factory = MockFactory()
        yield factory
        factory.close()


class Lively:
    """A unit at work, and how often each part of it has gone round."""

    def __init__(self) -> None:
        self.fed = self.rules = self.reads = 0

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for this."""
        async with asyncio.timeout(LIMIT_S):
            while not wanted():  # noqa: ASYNC110 - counted in the middle of the unit's own work
                await asyncio.sleep(QUICK_S)


@pytest.fixture
async def lively(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lively]:
    """A unit whose watchdog is being fed."""
    counted = Lively()
    wake, check = Decisions.wake, Inputs._check_callbacks

    def rules_went_round(decisions: Decisions) -> None:
        counted.rules += 1
        wake(decisions)

    def pin_was_read(inputs: Inputs, one: inputs_module._Input) -> None:
        counted.reads += 1
        check(inputs, one)

    def fed(_: ServiceManager) -> None:
        counted.fed += 1

    monkeypatch.setattr(Decisions, "wake", rules_went_round)
    monkeypatch.setattr(Inputs, "_check_callbacks", pin_was_read)
    monkeypatch.setattr(ServiceManager, "working", fed)
    monkeypatch.setattr(unit_module, "RULES_EVERY_S", QUICK_S)
    monkeypatch.setattr(inputs_module, "REREAD_EVERY_S", QUICK_S)
    config = make_config().model_copy(update={"state_folder": tmp_path})
    off = {name: getattr(config, name).model_copy(update={"enabled": False}) for name in ("camera", "voice", "speaker")}
    button = InputSettings(name="panic-1", kind=InputKind.BUTTON, pin=17)
    unit = Unit(
        config.model_copy(update={**off, "inputs": (button,)}),
        PinsAlone(),  # type: ignore[arg-type]
        Endpoint("localhost", 1, None),
        SystemClock(),
        ServiceManager(None),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(unit.run(stop))
    await counted.until(lambda: running.done() or counted.fed > 3)
    yield counted
    stop.set()
    await running


async def test_pins_that_are_no_longer_read_starve_the_watchdog_though_the_rules_run(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs_module, "REREAD_EVERY_S", NEVER_S)
    fed, reads, rules = lively.fed, lively.reads, lively.rules
    await lively.until(lambda: lively.rules > rules + 30)
    assert lively.reads - reads <= 1, "that reading was under way"
    assert lively.fed - fed <= 1


async def test_rules_that_no_longer_run_starve_the_watchdog_though_the_pins_are_read(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_module, "RULES_EVERY_S", NEVER_S)
    fed, reads, rules = lively.fed, lively.reads, lively.rules
    await lively.until(lambda: lively.reads > reads + 30)
    ran = lively.rules - rules
    assert ran < 10, "only for what was under way, or happened"
    assert lively.fed - fed <= 1 + ran
