"""The audit on its own: what is written down before it could begin."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.commands.audit import Audit
from agent.commands.file import CommandFile
from agent.signals import Category, Outcome
from agent.uplink.messages import Kind
from agent.uplink.validation import parse
from tests.commands.desk import CONFIG, ListeningLink, SyncedClock, whole
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path


async def test_an_outcome_that_comes_before_the_chain_has_begun_is_in_it_and_none_is_lost(tmp_path: Path) -> None:
    link = ListeningLink()
    audit = Audit(CONFIG.unit, CommandFile(tmp_path), SyncedClock(), link, lambda _: None)  # type: ignore[arg-type]
    said = {"category": Category.HELP, "outcome": Outcome.FALSE, "cause": "a child", "operatorRef": "op-1"}
    audit.note_soon("outcome", alertId="A1", **said)
    await audit.open()
    audit.note_soon("outcome", alertId="A2", **said)
    running = asyncio.create_task(audit.run())
    try:
        await until(lambda: len(link.sent) == 3, "all of it is sent")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await audit.close()
    records = [parse(Kind.AUDIT, each.payload)["data"] for each in link.sent]
    assert whole(records) == 3
    assert [(record["what"], record.get("alertId")) for record in records] == [
        ("began", None),
        ("outcome", "A1"),
        ("outcome", "A2"),
    ]
    assert records[1]["cause"] == "a child"
