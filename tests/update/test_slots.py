"""Whatever stops an update, and wherever: the unit starts from a slot that is whole and proven."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agent
from agent.update.slots import Slot, Slots, SlotsUnusable
from tests.update.bench import NEW, Does

REPOSITORY = Path(__file__).parents[2]
SETTLE_SLOT = str(REPOSITORY / "systemd/settle-slot")
TOOLS = ("ln", "mv", "sync", "rm")
"""What `settle-slot` changes files with."""


@pytest.fixture
def slots(memory: Path) -> Slots:
    for name in "ab":
        (memory / name).mkdir()
    (memory / "current").symlink_to("a")
    return Slots(memory)


def cut_at_each_step(folder: Path, does: Does) -> list[dict[str, Any]]:
    """What an update of such a version leaves when it is killed at its first, second ... change of a file."""
    argv = [sys.executable, "-m", "tests.update.cut_at_each_step", str(folder), SETTLE_SLOT, does.name]
    done = subprocess.run(
        argv,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("does", [Does.WORKS, Does.NEVER_STARTS])
def test_killed_at_any_step_an_update_leaves_a_slot_that_works(memory: Path, does: Does) -> None:
    left = cut_at_each_step(memory, does)
    *killed, last = left
    assert len(killed) > 20, "an update takes many steps"
    assert all(each["killed"] for each in killed)
    assert all(each["whole"] and not each["on_trial"] for each in left)
    assert any(each["was_on_trial"] for each in killed), "some of the kills hit the trial"
    for each in killed:
        if each["was_on_trial"]:
            assert each["in_use"] == agent.__version__, "a trial that was broken off proves nothing"
    assert last["in_use"] == (NEW if does is Does.WORKS else agent.__version__)


def test_settle_slot_itself_may_be_killed_at_any_step(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text(
            f"#!/bin/sh\nstep=$(($(cat {tmp_path}/step) - 1))\necho $step >{tmp_path}/step\n"
            f'[ $step != 0 ] || kill -9 $PPID\n[ $step -le 0 ] || exec /bin/{name} "$@"\n'
        )
        (tools / name).chmod(0o755)
    steps = 0
    for step in range(1, 20):
        folder = tmp_path / str(step)
        for slot in "ab":
            (folder / slot).mkdir(parents=True)
        (folder / "current").symlink_to("b")
        (folder / "trial").write_text("a\n")
        (tmp_path / "step").write_text(str(step))
        argv = [SETTLE_SLOT, str(folder), str(tmp_path / "restart")]
        cut = subprocess.run(argv, env={"PATH": f"{tools}:{os.environ['PATH']}"}, check=False, capture_output=True)
        assert (folder / "current").resolve().name in "ab"
        subprocess.run(argv, check=True, capture_output=True)
        assert (folder / "current").readlink() == Path("a")
        assert not (folder / "trial").exists()
        if cut.returncode == 0:
            break
        steps += 1
    assert steps == 5, "ln, mv, sync, rm, sync"


def test_settle_slot_asks_for_a_restart_only_when_it_turned_back(tmp_path: Path, slots: Slots) -> None:
    restart = tmp_path / "restart"
    subprocess.run([SETTLE_SLOT, str(slots.folder), str(restart)], check=True)
    assert not restart.exists()
    slots.begin_trial(Slot.B)
    subprocess.run([SETTLE_SLOT, str(slots.folder), str(restart)], check=True, capture_output=True)
    assert restart.exists()
    assert slots.in_use() is Slot.A


def test_a_mark_that_names_no_slot_changes_nothing(tmp_path: Path, slots: Slots) -> None:
    (slots.folder / "trial").write_text("../../etc\n")
    done = subprocess.run(
        [SETTLE_SLOT, str(slots.folder), str(tmp_path / "restart")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "names no slot: what is in use stays" in done.stderr
    assert slots.in_use() is Slot.A


def test_a_trial_is_kept_or_taken_back(slots: Slots) -> None:
    slots.begin_trial(Slot.B)
    assert (slots.in_use(), slots.on_trial()) == (Slot.B, Slot.A)
    slots.take_back()
    assert (slots.in_use(), slots.on_trial()) == (Slot.A, None)
    slots.begin_trial(Slot.B)
    slots.keep()
    slots.take_back()  # nothing is on trial: nothing happens
    assert slots.in_use() is Slot.B


def test_neither_what_is_in_use_nor_what_may_be_gone_back_to_is_cleared(slots: Slots) -> None:
    with pytest.raises(SlotsUnusable, match="slot a may be needed"):
        slots.clear(Slot.A)
    slots.begin_trial(Slot.B)
    with pytest.raises(SlotsUnusable, match="slot a may be needed"):
        slots.clear(Slot.A)


def test_a_unit_without_slots_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SlotsUnusable, match="is no link to slot a or b: provision this unit again"):
        Slots(tmp_path).in_use()
