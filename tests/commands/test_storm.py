"""Wrong commands by the thousand: every one is refused with a reason and audited, and the next good one is done.

`MUTATED_COMMANDS=10000 ./dev test tests/commands/test_storm.py` makes it ten thousand.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

from agent.signals import CommandName, Why
from agent.uplink.publication import Received
from tests.commands.desk import TOPICS, Desk, whole
from tests.commands.mutations import CODES, mutated
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

MUTATED = int(os.environ.get("MUTATED_COMMANDS", "500"))
EACH = 10
"""To one topic."""


async def test_of_thousands_of_wrong_commands_none_is_followed_and_all_are_audited(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        good = desk.command(console="foreign")
        desk.comes(good)
        await desk.answered("accepted", "done")
        sent = 0
        for volley in mutated(
            random.Random(7), TOPICS, lambda: desk.clock.now().wall, EACH, used_id=good.document["id"]
        ):
            for payload in volley.payloads:
                came = Received(
                    volley.topic, payload, retain=volley.retain, expiry_s=30, response_topic=TOPICS.response("foreign")
                )
                desk.office.take(desk.inbox.read(came, desk.clock.now()))  # type: ignore[arg-type]
                await asyncio.sleep(0)
            sent += len(volley.payloads)
            if sent >= MUTATED:
                break
        answers = desk.answers()[2:]
        assert len(answers) == sent
        assert {each["status"] for each in answers} == {"refused"}
        assert all(each["code"] and each["detail"] for each in answers)
        assert {each["code"] for each in answers} == {*CODES, Why.CLOCK}
        assert len(desk.done) == 1
        await until(lambda: len(desk.audit()) == sent + 3, "every record is sent")
        records = desk.audit()
        assert [record["what"] for record in records] == ["began", "command", "answer", *["refused"] * sent]
        assert {record["command"] for record in records[3:]} >= {*CommandName}
        assert whole(records) == sent + 3
        desk.comes(desk.command())
        await until(lambda: len(desk.done) == 2, "a good one is done")
