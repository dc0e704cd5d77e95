"""What root has noted of the slots: each by itself, and for as long as it is filled so."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.software.look import PROVISIONED, Notes

A, B = Path("slots/a"), Path("slots/b")


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes.json")


def test_the_slot_before_is_known_still_when_it_is_gone_back_to(notes: Notes) -> None:
    notes.note(A, "one", "list-1")
    notes.note(B, "two", "list-2")
    assert (notes.get(A, "one"), notes.get(B, "two")) == ("list-1", "list-2")


def test_another_filling_of_a_slot_takes_the_place_of_the_one_before(notes: Notes) -> None:
    notes.note(A, "one", "list-1")
    notes.note(A, "three", "list-3")
    assert (notes.get(A, "one"), notes.get(A, "three")) == (None, "list-3")


def test_a_release_in_the_other_slot_has_a_list_of_its_own(notes: Notes) -> None:
    notes.note(A, "one", "list-1")
    assert notes.get(B, "one") is None


def test_what_root_fills_begins_anew_but_for_what_he_filled_himself(notes: Notes) -> None:
    notes.note(A, PROVISIONED, "list-0")
    notes.note(B, "two", "list-2")
    assert notes.get(A, PROVISIONED) == "list-0", "an update says nothing of that"
    notes.note(B, PROVISIONED, "list-9")
    assert notes.get(A, PROVISIONED) == "list-0", "it is in use until the other one is"
    assert (notes.get(B, PROVISIONED), notes.get(B, "two")) == ("list-9", None)


def test_they_outlive_the_look_and_damaged_ones_are_none(notes: Notes, tmp_path: Path) -> None:
    notes.note(A, "one", "list-1")
    assert Notes(tmp_path / "notes.json").get(A, "one") == "list-1"
    (tmp_path / "notes.json").write_text("{")
    assert Notes(tmp_path / "notes.json").get(A, "one") is None
