"""Outcomes that the audit may not have when the unit dies: they are written by its next life, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent.commands import owed
from agent.commands.audit import Audit
from agent.commands.file import CommandFile, NotWritten
from agent.signals import Category, NoteOutcome, Outcome
from tests.commands.desk import CONFIG, HungWrites, ListeningLink, SyncedClock
from tests.uplink.lab import LabClock, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.commands.file import Writing

SAID: dict[str, Any] = {
    "category": Category.HELP,
    "outcome": Outcome.TEST,
    "cause": "a walk test",
    "operatorRef": "op-1",
}
BY_AN_OPERATOR = NoteOutcome("A1", Category.HELP, Outcome.FALSE, "a child", "op-1")
BY_NOBODY = NoteOutcome("A2", Category.TAMPER, None, None, None)


class FullDisk(CommandFile):
    """A file on a disk that is full."""

    def write(self, writings: Sequence[Writing]) -> None:
        msg = f"no room for {len(writings)}"
        raise OSError(msg)


def an_audit(file: CommandFile) -> Audit:
    return Audit(CONFIG.unit, file, SyncedClock(), ListeningLink(), lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("ended", [BY_AN_OPERATOR, BY_NOBODY])
def test_what_is_owed_comes_back_as_it_was_and_apart_from_what_incidents_remember(ended: NoteOutcome) -> None:
    kept = owed.owed(ended, LabClock().now())
    assert kept.state is not None
    outcomes, others = owed.apart([{"what": "incident"}, kept.state])
    assert others == [{"what": "incident"}]
    assert [owed.recalled(state) for state in outcomes] == [(ended, "2026-11-22T02:14:07.412+00:00")]
    assert owed.settled(ended.alert_id).alert_id == kept.alert_id, "and is forgotten under the same name"
    assert kept.alert_id != ended.alert_id, "which is not the incident's own"


async def test_it_is_settled_only_once_its_record_is_on_the_disk(tmp_path: Path) -> None:
    file, settled = HungWrites(tmp_path), list[str]()
    audit = an_audit(file)
    audit.note_soon("outcome", lambda: settled.append("early"), alertId="A1", **SAID)
    await audit.open()
    written = audit.note("refused")
    audit.note_soon("outcome", lambda: settled.append("now"), alertId="A2", **SAID)
    assert not settled
    file.may_write.set()
    await written
    await until(lambda: settled == ["early", "now"], "both are on the disk")
    await audit.close()


async def test_what_the_disk_does_not_take_stays_owed(tmp_path: Path) -> None:
    settled = list[str]()
    audit = an_audit(FullDisk(tmp_path))
    await audit.open()
    audit.note_soon("outcome", lambda: settled.append("A1"), alertId="A1", **SAID)
    with pytest.raises(NotWritten):
        await audit.note("refused")
    assert not settled
    await audit.close()


async def test_an_outcome_that_an_earlier_life_wrote_is_settled_and_not_written_again(tmp_path: Path) -> None:
    for life in range(2):
        settled = list[str]()
        audit = an_audit(CommandFile(tmp_path))
        audit.note_soon("outcome", lambda settled=settled: settled.append("A1"), alertId="A1", **SAID)  # type: ignore[misc]
        await audit.open()
        await until(lambda settled=settled: settled, f"it is settled in life {life}")  # type: ignore[misc]
        await audit.close()
    file = CommandFile(tmp_path)
    records = file.unsent(100)
    file.close()
    assert [record["what"] for record in records] == ["began", "outcome", "began"]
