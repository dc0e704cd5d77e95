"""Which calls an update waits for, told as the days of a unit whose control room forgets a call."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality
from agent.signals import Category, Command, CommandName
from agent.update.hold import UpdateHold
from tests.incidents.driven_unit import START, Unit, config, elsewhen

if TYPE_CHECKING:
    from agent.clock import Moment

HOUR_S = 3600.0
BOUND_S = 12 * HOUR_S


class Waiting:
    """A unit and what an update of it would wait for; it is the unit's clock as well."""

    def __init__(self) -> None:
        self.unit = Unit(armed=True)
        self.hold = self._hold()

    def now(self) -> Moment:
        return self.unit.now

    def at(self, monotonic_s: float) -> Moment:
        return self.unit.at(monotonic_s - self.unit.start.monotonic_s)

    def restart(self, at_s: float, boot: Moment | None = None) -> None:
        self.unit.restart(at_s, boot=boot)
        self.hold = self._hold()

    def command(self, name: CommandName) -> None:
        self.hold.commanded(Command("c-1", "console-1", name, {}, "op-7", self.unit.now))

    def calls_after(self, at_s: float) -> int:
        self.unit.wait(at_s)
        return self.hold.open_calls()

    def _hold(self) -> UpdateHold:
        return UpdateHold(self, self.unit.incidents.without_outcome, BOUND_S)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def test_an_open_call_holds_an_update_and_a_closed_one_does_not(waiting: Waiting) -> None:
    waiting.unit.press(10)
    assert waiting.hold.open_calls() == 1
    waiting.unit.close(20)
    assert waiting.hold.open_calls() == 0


def test_neither_a_fault_nor_a_noise_holds_an_update(waiting: Waiting) -> None:
    waiting.unit.fail(10)
    waiting.unit.make_noise(11)
    assert waiting.hold.open_calls() == 0


def test_a_call_that_nobody_touched_for_twelve_hours_holds_nothing_up_and_stays_open(waiting: Waiting) -> None:
    waiting.unit.press(10)
    assert waiting.calls_after(10 + BOUND_S - 60) == 1
    assert waiting.calls_after(10 + BOUND_S + 60) == 0
    assert [each.alert_id for each in waiting.unit.incidents.without_outcome()] == [waiting.unit.last_alert]


def test_a_call_that_goes_on_holds_however_old_it_is(waiting: Waiting) -> None:
    for hour in range(30):
        waiting.unit.press(hour * HOUR_S)
        assert waiting.hold.open_calls() >= 1
    waiting.unit.wait(29 * HOUR_S + BOUND_S - 60)
    assert waiting.hold.open_calls() == 1, "the last press counts, not the first"


def test_a_call_that_is_still_active_is_never_forgotten(waiting: Waiting) -> None:
    waiting.unit.press(10)
    waiting.unit.now = waiting.unit.at(10 + 2 * BOUND_S)  # the rules hang, so that it was never ended
    assert waiting.hold.open_calls() == 1


def test_an_operator_who_sees_it_begins_the_time_anew(waiting: Waiting) -> None:
    waiting.unit.press(10)
    waiting.unit.wait(11 * HOUR_S)
    waiting.unit.see(11 * HOUR_S)
    assert waiting.calls_after(11 * HOUR_S + BOUND_S - 60) == 1
    assert waiting.calls_after(11 * HOUR_S + BOUND_S + 60) == 0


@pytest.mark.parametrize(
    ("name", "calls"),
    [(CommandName.ANNOUNCE, 1), (CommandName.CLIP, 1), (CommandName.CONFIG_REPORT, 0), (CommandName.SELF_TEST, 0)],
)
def test_a_command_shows_that_somebody_is_at_work_and_a_console_s_routine_does_not(
    waiting: Waiting, name: CommandName, calls: int
) -> None:
    waiting.unit.press(10)
    waiting.unit.wait(11 * HOUR_S)
    waiting.command(name)
    assert waiting.calls_after(BOUND_S + HOUR_S / 2) == calls


def test_a_restart_counts_as_somebody_at_work_for_his_commands_are_not_remembered(waiting: Waiting) -> None:
    waiting.unit.press(10)
    waiting.unit.wait(20 * HOUR_S)
    waiting.restart(20 * HOUR_S)
    assert waiting.hold.open_calls() == 1
    assert waiting.calls_after(20 * HOUR_S + BOUND_S + 60) == 0


@pytest.mark.parametrize("quality", [ClockQuality.SYNCED, ClockQuality.UNSYNCED])
def test_after_a_power_cut_a_forgotten_call_holds_for_twelve_hours_more_by_whatever_clock(
    waiting: Waiting, quality: ClockQuality
) -> None:
    waiting.unit.press(10)
    waiting.unit.wait(20 * HOUR_S)
    behind = timedelta(days=-300) if quality is ClockQuality.UNSYNCED else timedelta(hours=21)
    waiting.restart(0, boot=elsewhen(START.wall + behind, "boot-2", quality))
    assert waiting.hold.open_calls() == 1
    assert waiting.calls_after(BOUND_S + 60) == 0


def test_an_intruder_holds_as_a_call_for_help_does(waiting: Waiting) -> None:
    waiting.unit.walk(5)
    assert [each.category for each in waiting.unit.incidents.without_outcome()] == [Category.INTRUDER]
    assert waiting.hold.open_calls() == 1


def test_the_bound_is_twelve_hours_unless_the_configuration_says_another() -> None:
    assert config().update.forgotten_call_s == BOUND_S
    assert config(update={"forgotten_call_h": 6}).update.forgotten_call_s == 6 * HOUR_S
