"""A hold is a file: it is there before the asker is told so, and nothing passes over one that cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.footage.keep import holds as holds_module
from agent.footage.keep.holds import Hold, HoldExists, Holds, HoldsDamaged, NoSuchHold
from agent.footage.store.stretch import Stretch

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOLD = Hold(
    "24*0612345/NOTTS", "robbery at the bus stop", "C. Marsh", NOON, NOON, NOON, (Stretch("1a2b3c4d", 10.5, 20.0),)
)


def test_a_placed_hold_is_there_for_everybody_who_looks(tmp_path: Path) -> None:
    Holds(tmp_path).place(HOLD)
    assert Holds(tmp_path).all() == [HOLD]


def test_holds_come_in_the_order_of_their_placing(tmp_path: Path) -> None:
    later = replace(HOLD, ref="a", made=NOON.replace(hour=13))
    holds = Holds(tmp_path)
    holds.place(later)
    holds.place(HOLD)
    assert holds.all() == [HOLD, later]


@pytest.mark.parametrize("ref", ["../../etc/passwd", "..", ".", "a/b", "\0", "é" * 64, "A", "a", " ", "\n", "CON"])
def test_any_text_is_a_reference_and_none_names_another_place(tmp_path: Path, ref: str) -> None:
    holds = Holds(tmp_path)
    other = replace(HOLD, ref=ref.swapcase() + "x" if len(ref) < 64 else "x")
    holds.place(other)
    holds.place(replace(HOLD, ref=ref))
    assert {hold.ref for hold in holds.all()} == {ref, other.ref}
    assert [path.name for path in tmp_path.iterdir()] == ["holds"]
    assert holds.release(ref, "C. Marsh", "case closed", NOON).ref == ref
    assert holds.all() == [other]


def test_what_a_power_cut_left_of_placing_a_hold_is_no_hold_and_hinders_none(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    holds.place(HOLD)
    (file,) = (tmp_path / "holds").glob("*.json")
    file.rename(file.with_name(f".{file.name}.part"))
    assert holds.all() == []
    holds.place(HOLD)
    assert holds.all() == [HOLD]


def test_a_reference_in_use_is_refused(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    holds.place(HOLD)
    with pytest.raises(HoldExists, match="already a hold"):
        holds.place(replace(HOLD, reason="another"))
    assert holds.all() == [HOLD]


def test_a_released_hold_stays_as_a_record_and_its_reference_is_free(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    holds.place(HOLD)
    assert holds.release(HOLD.ref, "P. Shaw", "NFA", NOON.replace(day=23)) == HOLD
    assert holds.all() == []
    (record,) = (tmp_path / "holds" / "released").glob("*.json")
    told = json.loads(record.read_bytes())
    assert (told["hold"]["ref"], told["by"], told["reason"]) == (HOLD.ref, "P. Shaw", "NFA")
    holds.place(HOLD)
    assert holds.all() == [HOLD]


def test_what_is_not_held_cannot_be_released(tmp_path: Path) -> None:
    with pytest.raises(NoSuchHold, match="no hold with the reference 'x'"):
        Holds(tmp_path).release("x", "P. Shaw", "NFA", NOON)


@pytest.mark.parametrize("damage", [b"", b"{", b"\0" * 300, b'{"ref": "a"}', b"[]"])
def test_a_hold_that_cannot_be_read_is_named_and_the_others_are_there(tmp_path: Path, damage: bytes) -> None:
    holds = Holds(tmp_path)
    holds.place(HOLD)
    holds.place(replace(HOLD, ref="broken"))
    (file,) = (tmp_path / "holds").glob("broken*.json")
    file.write_bytes(damage)
    with pytest.raises(HoldsDamaged, match=r"broken.*not a hold") as found:
        holds.all()
    assert (found.value.readable, list(found.value.damaged)) == ([HOLD], [file])
    with pytest.raises(HoldExists):
        holds.place(replace(HOLD, ref="broken"))
    holds.place(replace(HOLD, ref="a later one is still placed"))
    file.unlink()
    assert len(holds.all()) == 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"ref": ""}, "1 to 64"),
        ({"ref": "x" * 65}, "1 to 64"),
        ({"reason": "\udcff"}, "UTF-8"),
        ({"made": NOON.replace(tzinfo=None)}, "zone"),
        ({"end": NOON.replace(hour=11)}, "before it starts"),
        ({"stretches": (Stretch("1a2b3c4d", 2, 1),)}, "stretch"),
        ({"stretches": (Stretch("1a2b3c4d", float("nan"), 1),)}, "stretch"),
    ],
)
def test_a_hold_that_could_not_be_kept_as_meant_is_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(HOLD, **wrong)  # type: ignore[arg-type] # the wrong types are half of the point


def test_no_folder_is_made_where_there_is_no_footage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Holds(tmp_path / "lost").place(HOLD)
    assert Holds(tmp_path / "lost").all() == []
    assert list(tmp_path.iterdir()) == []


def test_a_decision_may_hold_another_inside(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    with holds.deciding(), holds.deciding():
        holds.place(HOLD)
    assert holds.all() == [HOLD]


def test_a_thread_that_waits_too_long_for_its_turn_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds_module, "WAIT_S", 0.05)
    holds, failed = Holds(tmp_path), []

    def place() -> None:
        try:
            holds.place(HOLD)
        except TimeoutError as error:
            failed.append(error)

    with holds.deciding():
        thread = threading.Thread(target=place)
        thread.start()
        thread.join()
    assert len(failed) == 1
    assert holds.all() == []


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys; from pathlib import Path; from agent.footage.keep.holds import Holds\n"
        "with Holds(Path(sys.argv[1])).deciding(): print('mine', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        monkeypatch.setattr(holds_module, "WAIT_S", 0.05)
        with pytest.raises(TimeoutError, match="try again"):
            Holds(tmp_path).place(HOLD)
        other.kill()
    Holds(tmp_path).place(HOLD)
    assert Holds(tmp_path).all() == [HOLD]
