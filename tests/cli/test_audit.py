"""The audit in the hands of somebody who has to judge it: the unit's file, the control room's journal, or both."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.cli.main import main
from agent.commands import copies
from agent.commands.file import FILE_NAME
from agent.control_room.journal import journal_line
from agent.uplink.publication import Received
from tests.commands.desk import TOPICS, Desk
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT = datetime(2026, 11, 22, tzinfo=UTC)
COMMANDS = 4


class Kept:
    """What two lives of a unit left on its disk and at its control room."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / FILE_NAME
        self.journal = folder / "journal.jsonl"
        self._capsys = capsys

    def verify(self, *files: Path) -> tuple[int, str]:
        code = main(["audit", "verify", *map(str, files)])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    def sql(self, statement: str) -> None:
        with sqlite3.connect(self.file, timeout=0.1) as connection:
            connection.execute(statement)
        connection.close()

    def lines(self) -> list[bytes]:
        return self.journal.read_bytes().splitlines(keepends=True)


async def _live(desk: Desk) -> list[bytes]:
    """A life with some commands; returns what the control room writes down of it, among other things."""
    async with desk.open():
        for number in range(COMMANDS):
            desk.comes(desk.command())
            await until(lambda: len(desk.done) > number, "it is done")  # noqa: B023 - read at once
        await desk.audited(1 + 2 * COMMANDS)
    heard = [Received(each.topic, each.payload) for each in desk.link.sent]
    heard.insert(3, Received(TOPICS.heartbeat, b'{"data": {}}'))
    return [journal_line(each, AT) for each in heard]


@pytest.fixture
async def kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Kept:
    kept = Kept(tmp_path, capsys)
    kept.journal.write_bytes(b"".join([*await _live(Desk(tmp_path)), *await _live(Desk(tmp_path))]))
    capsys.readouterr()
    return kept


async def test_both_are_whole_and_say_how_many_records_from_when_to_when(kept: Kept) -> None:
    before = {path: path.read_bytes() for path in kept.file.parent.iterdir()}
    code, told = kept.verify(kept.file, kept.journal)
    assert code == 0
    assert re.search(
        r"commands.sqlite, the unit's own file: 18 records of 2 starts of the unit, 20\S+Z to 20\S+Z", told
    )
    assert "journal.jsonl, street/unit-a: 18 records of 2 starts" in told
    assert told.count("  whole\n") == 2
    assert {path: path.read_bytes() for path in kept.file.parent.iterdir()} == before, "evidence is not touched"


async def test_the_file_of_a_unit_that_runs_can_be_verified(kept: Kept) -> None:
    async with Desk(kept.file.parent).open() as desk:
        desk.comes(desk.command())
        await desk.audited(3)
        with pytest.raises(sqlite3.OperationalError):  # else it would be no test
            kept.sql("SELECT 1 FROM audit")
        code, told = kept.verify(kept.file)
        assert (code, "21 records of 3 starts" in told) == (0, True), told


async def test_a_file_that_goes_on_changing_while_it_is_copied_is_copied_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = iter([b"", b"second", b"second", b"second"])
    monkeypatch.setattr(copies, "_log_of", lambda _: next(logs))
    assert kept.verify(kept.file)[0] == 0
    assert next(logs, None) is None, "the first copy was not good enough"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET record = replace(record, 'op-1', 'op-2') WHERE place = 5", "CHANGED: record 5 of chain"),
        ("DELETE FROM audit WHERE place IN (4, 5)", "MISSING: 2 missing before record 6 of chain"),
        ("UPDATE audit SET place = 100 WHERE place = 7", "MOVED: 2 records do not stand after the one"),
        ("UPDATE audit SET record = substr(record, 1, 40) WHERE place = 5", "UNREADABLE: place 5 holds no record"),
    ],
)
async def test_whatever_somebody_does_in_the_units_file_shows(kept: Kept, statement: str, words: str) -> None:
    kept.sql(statement)
    code, told = kept.verify(kept.file)
    assert code == 1
    assert words in told
    assert "BROKEN in" in told


async def test_the_end_of_the_units_file_that_was_cut_off_shows_beside_the_journal(kept: Kept) -> None:
    kept.sql("DELETE FROM audit WHERE place > 15")
    assert kept.verify(kept.file)[0] == 0
    code, told = kept.verify(kept.file, kept.journal)
    assert code == 1
    assert re.search(r"CUT OFF: it ends with record 6 of chain \S+ \(\S+\); \S+journal.jsonl has 3 more", told)


def _changed(lines: list[bytes]) -> list[bytes]:
    at = next(place for place, line in enumerate(lines) if b'"what": "answer"' in line)
    return [*lines[:at], lines[at].replace(b"as you wish", b"as we wish"), *lines[at + 1 :]]


def _removed(lines: list[bytes]) -> list[bytes]:
    at = next(place for place, line in enumerate(lines) if b'"what": "answer"' in line)
    return [*lines[:at], *lines[at + 1 :]]


def _reordered(lines: list[bytes]) -> list[bytes]:
    audits = [place for place, line in enumerate(lines) if b'/audit"' in line]
    lines[audits[3]], lines[audits[5]] = lines[audits[5]], lines[audits[3]]
    return lines


def _torn(lines: list[bytes]) -> list[bytes]:
    audits = [place for place, line in enumerate(lines) if b'/audit"' in line]
    return [*lines[: audits[-1]], lines[audits[-1]][:200]]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [(_changed, "CHANGED"), (_removed, "MISSING"), (_reordered, "MOVED"), (_torn, "UNREADABLE: line")],
)
async def test_whatever_somebody_does_to_the_journal_shows(
    kept: Kept, spoil: Callable[[list[bytes]], list[bytes]], fault: str
) -> None:
    kept.journal.write_bytes(b"".join(spoil(kept.lines())))
    code, told = kept.verify(kept.journal)
    assert code == 1
    assert f"  {fault}" in told


async def test_messages_as_any_mqtt_client_prints_them_are_judged_too(kept: Kept) -> None:
    audits = [said["payload"] for said in map(json.loads, kept.lines()) if said["topic"] == TOPICS.audit]
    kept.journal.write_text("".join(f"{json.dumps(audit)}\n" for audit in audits), encoding="utf-8")
    code, told = kept.verify(kept.journal)
    assert (code, "street/unit-a: 18 records" in told) == (0, True), told


async def test_a_unit_file_that_was_cut_short_is_broken(kept: Kept) -> None:
    whole = kept.file.read_bytes()
    kept.file.write_bytes(whole[: len(whole) // 2])
    code, told = kept.verify(kept.file)
    assert (code, "  UNREADABLE: the file is" in told) == (1, True), told


async def test_what_holds_no_audit_is_one_sentence(kept: Kept, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE alerts (id)")
    connection.close()
    text = tmp_path / "text"
    text.write_text('{"topic": "safepoint/v1/street/unit-a/heartbeat", "payload": {}}\n', encoding="utf-8")
    for file, words in ((other, "holds no audit"), (text, "holds no audit"), (tmp_path / "none", "cannot be read")):
        code, told = kept.verify(file)
        assert (code, told.count("\n")) == (2, 1)
        assert words in told
