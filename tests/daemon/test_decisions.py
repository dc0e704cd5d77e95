"""One door to the rules: in order, at once, and never silently shut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import Moment, SystemClock
from agent.config.settings import Config, InputKind, InputSettings, UnitSettings, UplinkSettings
from agent.decisions import Decisions
from agent.incidents import Incidents
from agent.signals import Category, Faulted, Remember, SensorKind, Tell, Triggered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.signals import Action, Signal

CLOCK = SystemClock()


class RulesWithABug(Incidents):
    """The real rules, but for one kind of signal."""

    fails_with: type[Signal] | None = None

    def handle(self, signal: Signal, now: Moment) -> list[Action]:
        if self.fails_with is not None and isinstance(signal, self.fails_with):
            msg = "a bug"
            raise RuntimeError(msg)
        return super().handle(signal, now)


class Door:
    """The decisions, and what they began."""

    def __init__(self) -> None:
        config = Config(
            profile="p",
            unit=UnitSettings(id="u", org="o", name="n", location="l"),
            uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
            inputs=(InputSettings(name="panic-1", kind=InputKind.BUTTON, pin=17),),
        )
        self.rules = RulesWithABug(config, lambda category: f"{category}-1")
        self.decisions = Decisions(self.rules, CLOCK, self.act)
        self.began: list[Any] = []

    def act(self, actions: Sequence[Action]) -> None:
        self.began += actions

    def told(self) -> list[Category]:
        return [action.category for action in self.began if isinstance(action, Tell)]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    yield made
    made.decisions.close()


def press() -> Triggered:
    return Triggered("panic-1", SensorKind.BUTTON, CLOCK.now())


async def test_what_is_reported_before_the_rules_began_is_decided_when_they_do(door: Door) -> None:
    door.decisions.report(press())
    assert door.told() == []
    door.decisions.begin([], crashed=False)
    assert door.told() == [Category.HELP]


async def test_a_call_that_the_rules_fail_with_is_told_as_a_fault_that_says_so(door: Door) -> None:
    door.decisions.begin([], crashed=False)
    door.rules.fails_with = Triggered
    door.decisions.report(press())
    (told,) = [action for action in door.began if isinstance(action, Tell)]
    assert told.category is Category.FAULT
    assert "CALL FOR HELP from panic-1" in told.data["headline"]


async def test_a_failing_signal_does_not_lose_the_next_one(door: Door) -> None:
    door.decisions.begin([], crashed=False)
    door.rules.fails_with = Faulted
    door.decisions.report(Faulted("lamp", "lost", "The lamp is lost.", CLOCK.now()))
    door.decisions.report(press())
    assert door.told() == [Category.HELP]


async def test_memories_that_are_found_late_are_taken_up_while_the_rules_run_and_only_then(door: Door) -> None:
    other = Door()
    other.decisions.begin([], crashed=False)
    other.decisions.report(press())
    other.decisions.close()
    states = [action.state for action in other.began if isinstance(action, Remember) and action.state is not None]
    door.decisions.resume(states[-1:], crashed=False)
    assert [door.rules.open_count] == [0]
    door.decisions.begin([], crashed=False)
    door.decisions.resume(states[-1:], crashed=False)
    assert door.rules.open_count == 1
    assert door.told() == []
    door.decisions.close()
    door.decisions.resume(states[-1:], crashed=False)
    assert door.rules.open_count == 1
