"""When the unit may ask for a restart of its machine: the rules as a table, with time as an argument."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

import agent.helpers
from agent.clock import ClockQuality, Moment
from agent.helpers.ladder import OUTSIDE, Standing
from agent.helpers.last_rung import (
    A_DAY,
    ALERTS_PUT_IT_OFF_FOR_S,
    CALLS_PUT_IT_OFF_FOR_S,
    DAY_S,
    EVERY_S,
    IN_VAIN,
    NO_FRAMES_FOR_S,
    UNKILLABLE_FOR_S,
    Ask,
    Call,
    Go,
    History,
    Others,
    Stay,
    at_least_ago_s,
    verdict,
)

LONG = NO_FRAMES_FOR_S
DEAD = Standing(silent_s=LONG, pipeline=90, process=6)
HUNG = Standing(silent_s=UNKILLABLE_FOR_S, pipeline=0, process=1, unkillable_s=UNKILLABLE_FOR_S)
NOBODY = Others()


def at(uptime_s: float, boot: str = "boot-9", wall: datetime | None = None) -> Moment:
    return Moment(uptime_s, wall or datetime(2026, 11, 24, tzinfo=UTC), boot, ClockQuality.SYNCED)


def overdue(by_s: float) -> Standing:
    return replace(DEAD, silent_s=LONG + by_s)


def asked(*boots: tuple[str, float]) -> History:
    return History(tuple(Ask(boot, uptime_s, "", "r") for boot, uptime_s in boots), total=len(boots))


TABLE = [
    ("nothing less helped", DEAD, NOBODY, Go),
    ("it works", Standing(0.5, 0, 0), NOBODY, Stay.WORKS),
    ("not for long enough", overdue(-1), NOBODY, Stay.WORKS),
    ("the process was never restarted", replace(DEAD, process=0), NOBODY, Stay.NOT_TRIED),
    ("it hangs outright, its pipeline could not restart", replace(DEAD, pipeline=0), NOBODY, Go),
    ("a process that cannot be killed", HUNG, NOBODY, Go),
    ("it cannot be killed, but not for long", replace(HUNG, unkillable_s=UNKILLABLE_FOR_S - 1), NOBODY, Stay.WORKS),
    ("it cannot be killed, its successor works", replace(HUNG, silent_s=0.5), NOBODY, Stay.WORKS),
    ("the camera is lost", replace(DEAD, causes=frozenset({"camera-lost"})), NOBODY, Go),
    *[(f"{code}", replace(DEAD, causes=frozenset({code})), NOBODY, Stay.OUTSIDE) for code in sorted(OUTSIDE)],
    ("full disk and dead process", replace(HUNG, causes=frozenset({"disk-full"})), NOBODY, Stay.OUTSIDE),
    ("a call goes on", DEAD, Others(Call.ACTIVE), Stay.CALL),
    ("a call goes on for ever", overdue(10 * DAY_S), Others(Call.ACTIVE), Stay.CALL),
    ("a call is not closed", overdue(CALLS_PUT_IT_OFF_FOR_S - 1), Others(Call.OVER), Stay.CALL),
    ("a call was forgotten", overdue(CALLS_PUT_IT_OFF_FOR_S), Others(Call.OVER), Go),
    ("an alert waits", overdue(ALERTS_PUT_IT_OFF_FOR_S - 1), Others(waiting=1), Stay.ALERTS),
    ("an alert waits for long, on the disk", overdue(ALERTS_PUT_IT_OFF_FOR_S), Others(waiting=1), Go),
    ("an alert waits in memory only", overdue(10 * DAY_S), Others(waiting=1, stored=False), Stay.ALERTS),
    ("no alert waits, without a disk", DEAD, Others(stored=False), Go),
]


@pytest.mark.parametrize(("standing", "others", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_restart_is_asked_for_only_when(standing: Standing, others: Others, expected: type[Go] | Stay) -> None:
    decided = verdict(standing, others, History(), at(LONG), allowed=True)
    assert isinstance(decided, Go) if expected is Go else decided is expected


def test_the_configuration_has_the_first_word() -> None:
    assert verdict(DEAD, NOBODY, History(), at(LONG), allowed=False) is Stay.OFF


SELDOM = [
    ("the first of all", asked(), at(LONG), Go),
    ("this boot is too young", asked(("a", 700.0)), at(EVERY_S - 1), Stay.TOO_OFTEN),
    ("this boot alone ran for six hours", asked(("a", 700.0)), at(EVERY_S), Go),
    ("it was refused in this boot", asked(("boot-9", 700.0)), at(EVERY_S), Stay.TOO_OFTEN),
    ("it was refused in this boot six hours ago", asked(("boot-9", 700.0)), at(700.0 + EVERY_S), Go),
    ("two within a day", asked(("a", 700.0), ("b", EVERY_S)), at(EVERY_S), Stay.TOO_OFTEN),
    ("two, and a day has passed since", asked(("a", 700.0), ("b", EVERY_S)), at(DAY_S - EVERY_S), Go),
    ("two in this boot", asked(("boot-9", 700.0), ("boot-9", 700.0 + EVERY_S)), at(700.0 + DAY_S - 1), Stay.TOO_OFTEN),
    ("two in this boot, a day ago", asked(("boot-9", 700.0), ("boot-9", 700.0 + EVERY_S)), at(700.0 + DAY_S), Go),
    ("nothing is known", History.unknown(), at(DAY_S - 1), Stay.TOO_OFTEN),
    ("nothing is known, and the boot is a day old", History.unknown(), at(DAY_S), Go),
]


@pytest.mark.parametrize(("history", "now", "expected"), [row[1:] for row in SELDOM], ids=[row[0] for row in SELDOM])
def test_seldom_is_counted_by_running_time(history: History, now: Moment, expected: type[Go] | Stay) -> None:
    decided = verdict(DEAD, NOBODY, history, now, allowed=True)
    assert isinstance(decided, Go) if expected is Go else decided is expected


@pytest.mark.parametrize("year", [1970, 2026, 2099])
def test_no_wall_clock_makes_it_more_often(year: int) -> None:
    history, granted_s = History(), []
    ran_s = 0.0
    for boot in range(200):  # a machine that never records again and is restarted each time it asks
        now = at(LONG, f"boot-{boot}", datetime(year, 1, 1 + boot % 28, tzinfo=UTC))
        while isinstance(verdict(DEAD, NOBODY, replace(history, in_vain=0), now, allowed=True), Stay):
            now = replace(now, monotonic_s=now.monotonic_s + 600.0)
        ran_s += now.monotonic_s
        granted_s.append(ran_s)
        history = history.asked(Ask(now.boot_id, now.monotonic_s, now.wall.isoformat(), "r"))
    assert min(later - earlier for earlier, later in pairwise(granted_s)) >= EVERY_S
    assert min(later - earlier for earlier, later in zip(granted_s, granted_s[A_DAY:], strict=False)) >= DAY_S


def test_what_did_not_help_is_given_up_until_footage_is_there_again() -> None:
    history = History()
    for boot in ("a", "b"):
        assert isinstance(verdict(DEAD, NOBODY, history, at(DAY_S, boot), allowed=True), Go)
        history = history.asked(Ask(boot, DAY_S, "", "r"))
    assert history.in_vain == IN_VAIN
    assert verdict(DEAD, NOBODY, history, at(10 * DAY_S), allowed=True) is Stay.IN_VAIN
    assert isinstance(verdict(DEAD, NOBODY, history.helped(), at(10 * DAY_S), allowed=True), Go)
    assert history.helped().total == 2


def test_what_ran_between_is_how_long_ago_it_was_at_least() -> None:
    history = asked(("a", 500.0), ("b", 300.0))
    assert at_least_ago_s(history.asks, at(40.0)) == 340.0


@pytest.mark.parametrize("name", ["ladder", "last_rung", "patience", "talk"])
def test_the_rules_know_no_clock_and_no_machine(name: str) -> None:
    tree = ast.parse((Path(agent.helpers.__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    pure = {"__future__", "agent.clock", "agent.helpers.ladder", "dataclasses", "enum", "itertools", "typing"}
    assert imported <= pure, "agent.clock only for the type of moments"
