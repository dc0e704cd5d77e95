"""Wrong commands by the thousand: every one is refused with a reason and audited, and the next good one is done.

`MUTATED_COMMANDS=10000 ./dev test tests/commands/test_storm.py` makes it ten thousand.
"""

from __future__ import annotations

import asyncio
import os
import random
from itertools import islice
from typing import TYPE_CHECKING

from agent.signals import CommandName
from agent.uplink.publication import Received
from tests.commands.desk import TOPICS, Desk, whole
from tests.commands.mutations import mutated
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

MUTATED = int(os.environ.get("MUTATED_COMMANDS", "500"))


async def test_of_thousands_of_wrong_commands_none_is_followed_and_all_are_audited(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        wall = desk.clock.now().wall
        wrong = mutated(random.Random(7), TOPICS, lambda: wall, CommandName.LIGHT, {"forS": 5})
        for payload in islice(wrong, MUTATED):
            topic, answers_to = TOPICS.command("foreign", "light"), TOPICS.response("foreign")
            came = Received(topic, payload, expiry_s=30, response_topic=answers_to)
            desk.office.take(desk.inbox.read(came, desk.clock.now()))  # type: ignore[arg-type]
            await asyncio.sleep(0)
        answers = desk.answers()
        assert len(answers) == MUTATED
        assert {each["status"] for each in answers} == {"refused"}
        assert all(each["code"] and each["detail"] for each in answers)
        assert not desk.done
        await until(lambda: len(desk.link.sent) == 2 * MUTATED + 1, "every record is sent")
        records = desk.audit()
        assert [record["what"] for record in records] == ["began", *["refused"] * MUTATED]
        assert whole(records) == MUTATED + 1
        desk.comes(desk.command())
        await until(lambda: len(desk.done) == 1, "a good one is done")
