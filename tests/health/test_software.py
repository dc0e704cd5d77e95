"""What is told of a look at the agent's software, and of looks that nobody takes."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.health import software
from agent.health.software import judge
from agent.health.watch import HealthWatch
from agent.signals import FaultCleared, Faulted
from agent.software.found import Found, State, boot_id, boot_s
from tests.health.test_checks import config

if TYPE_CHECKING:
    from pathlib import Path

    from agent.signals import Signal

BOOT, HOUR_S = "this-run", 3600.0
RIGHT = Found(State.RIGHT, "a", BOOT, 100.0, listed="0123456789abcdef", signed=True, files=7)
SITE = "lib/python3.13/site-packages"
NAMES = (f"changed {SITE}/agent/unit.py", f"added {SITE}/evil.pth", "missing bin/safepoint", "added x")
CHANGED = replace(RIGHT, state=State.CHANGED, wrong=NAMES, wrong_count=9)


def faults(found: Found | None, now_s: float = 200.0, boot: str = BOOT, slot: str = "a") -> dict[str, str]:
    return dict(judge(found, slot, "manifest 1a2b", boot, now_s).faults)


def test_what_is_right_is_no_fault_and_its_release_is_told() -> None:
    reading = judge(RIGHT, "a", "manifest 1a2b", BOOT, 200.0)
    assert reading.faults == {}
    assert reading.facts == {
        "release": "manifest 1a2b",
        "state": "right",
        "list": "0123456789ab",
        "signed": True,
        "files": 7,
    }


def test_a_change_names_its_first_files_and_is_tamper() -> None:
    assert faults(CHANGED) == {
        "changed": "The agent's own software was changed: changed agent/unit.py; added evil.pth; "
        "missing bin/safepoint; 6 more. Calls and alerts go on; uploads of footage wait."
    }
    assert judge(CHANGED, "a", None, BOOT, 200.0).tampered == {"changed"}


def test_a_change_that_was_found_is_told_after_a_restart_of_the_machine_before_anybody_looks_again() -> None:
    assert "changed" in faults(CHANGED, now_s=1.0, boot="the-next-run")


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (State.UNLISTED, "unlisted", "Nothing says what the agent's software should be: it has no list."),
        (State.UNREADABLE, "unreadable", "The agent's software cannot be read again: it has no list."),
    ],
)
def test_what_could_not_be_found_out_is_a_fault_of_its_own(state: State, code: str, words: str) -> None:
    found = replace(RIGHT, state=state, why="it has no list")
    assert faults(found) == {code: words}
    assert code not in judge(found, "a", None, BOOT, 200.0).tampered


@pytest.mark.parametrize(
    ("found", "now_s", "told"),
    [
        (None, 1.9 * HOUR_S, False),
        (None, 2.1 * HOUR_S, True),
        (RIGHT, 25.9 * HOUR_S, False),
        (RIGHT, 26.1 * HOUR_S, True),
        (replace(RIGHT, boot_id="an earlier run"), 1.9 * HOUR_S, False),
        (replace(RIGHT, boot_id="an earlier run"), 2.1 * HOUR_S, True),
    ],
)
def test_that_nobody_looks_is_told(found: Found | None, now_s: float, told: bool) -> None:  # noqa: FBT001
    assert ("unchecked" in faults(found, now_s)) is told


def test_what_was_found_in_the_other_slot_says_nothing_of_this_one() -> None:
    assert faults(CHANGED, slot="b") == {}
    assert judge(RIGHT, "b", None, BOOT, 200.0).facts["state"] == "unchecked"


async def test_a_change_is_reported_as_tamper_and_its_end_once_it_is_right_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "slots/a"))
    monkeypatch.setattr(software, "FOUND", tmp_path / "found.json")
    reported: list[Signal] = []
    watch = HealthWatch(config(tmp_path), SystemClock(), reported.append)
    for found in (RIGHT, CHANGED, CHANGED, RIGHT):
        replace(found, boot_id=boot_id(), boot_s=boot_s()).write(tmp_path / "found.json")
        await watch.look()
    ours = [each for each in reported if isinstance(each, Faulted | FaultCleared) and each.part == "software"]
    assert [type(each) for each in ours] == [Faulted, FaultCleared]
    assert isinstance(ours[0], Faulted)
    assert ours[0].tampered


def test_where_the_agent_runs_from_no_slot_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert software.check(config(tmp_path)).facts == {}
