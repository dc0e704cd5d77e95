"""What the control room saw, line by line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.control_room.journal import Journal, journal_line
from agent.uplink.publication import Received

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 22, 2, 14, 7, 412_000, tzinfo=UTC)


def test_json_of_any_depth_is_kept() -> None:
    """There is a depth that can be read and, a level deeper, not be written: one such message ended every console."""
    of_each_python = (*range(900, 1010), *range(1450, 1510), *range(9950, 10_010))  # 3.11, 3.12, 3.13
    for depth in of_each_python:
        payload = b"[" * depth + b"]" * depth
        assert payload in journal_line(Received("a/b", payload), AT)


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (b'{"a": [1, "\xc3\xa9"]}', {"a": [1, "é"]}),
        (b"no JSON", "no JSON"),
        (b"\xff\n", "\ufffd\n"),
        (b"", ""),
        (b"[" * 100_000, "[" * 100_000),
    ],
    ids=["json", "text", "bytes", "empty", "deep"],
)
def test_a_line_is_one_json_object_whatever_came(payload: bytes, kept: object) -> None:
    line = journal_line(Received("safepoint/v1/o/u/status", payload), AT)
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "topic": "safepoint/v1/o/u/status",
        "received_at": "2026-11-22T02:14:07.412Z",
        "payload": kept,
    }


def test_lines_are_appended_over_lives(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    for line in (b"1\n", b"2\n"):
        journal = Journal(path)
        journal.keep([line])
        journal.close()
    assert path.read_bytes() == b"1\n2\n"


def test_a_line_that_a_crash_cut_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b'{"topic": "sa')
    journal = Journal(path)
    journal.keep([b"1\n", b"2\n"])
    journal.close()
    assert path.read_bytes() == b'{"topic": "sa\n1\n2\n'


def test_a_journal_that_cannot_be_opened_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Journal(tmp_path / "nowhere" / "messages.jsonl")
