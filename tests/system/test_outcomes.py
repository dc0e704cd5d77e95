"""How incidents ended stands in the unit's audit for good: who said so, when, what it was and why."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.commands.file import FILE_NAME
from agent.signals import AckLevel, Category, Outcome
from agent.uplink import messages
from agent.uplink.disk import FILE_NAME as OUTBOX
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S
from tests.commands.desk import whole
from tests.system.test_commands import DARK, TOPICS, publish
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town


async def test_an_outcome_outlives_its_incident_and_one_without_a_cause_is_none(
    town_with: Callable[..., Town], folder: Path
) -> None:
    def records(what: str | None = None) -> list[dict[str, Any]]:
        lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
        said = [json.loads(line) for line in lines if line]
        data = [each["payload"]["data"] for each in said if each["topic"] == TOPICS.audit]
        once = {each["hash"]: each for each in data}  # a unit that is killed sends the last ones again
        return [each for each in once.values() if what in {None, each["what"]}]

    async with town_with(lamp=DARK) as town:
        room = town.control_room
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)

        foreign = messages.acknowledgement(
            TOPICS,
            CONTROL_ROOM,
            SystemClock().now().wall,
            alert_id=call.alert_id,
            revision=1,
            level=AckLevel.CLOSED,
            operator_ref="op-9",
            outcome=Outcome.FALSE,
        )
        await publish(town, foreign.topic, [foreign.publication().payload])
        await room.wait_for(lambda _: records("refused"), LIMIT_S)
        assert records("refused")[0]["code"] == "invalid"
        assert call.latest.data["state"] != "closed", "nobody said why it was false"

        await room.close_alert(call.alert_id, Outcome.FALSE, "a child played", "op-1")
        await room.wait_for(lambda _: records("outcome"), LIMIT_S)
        town.unit.kill()
        await town.unit.ended()
        await town.start_unit()
        await room.wait_for(lambda _: len(records("began")) == 2, LIMIT_S)
        (ended,) = records("outcome")
        wanted = {
            "alertId": call.alert_id,
            "category": "help",
            "outcome": "false",
            "cause": "a child played",
            "operatorRef": "op-1",
        }
        assert {key: ended[key] for key in wanted} == wanted
        assert ended["at"] > call.first.data["opened"]
        assert whole(records()) == len(records())
        assert room.refused == 1, "the control room hears the foreign word too, and does not believe it either"


async def test_an_outcome_that_a_kill_kept_from_the_audit_is_written_by_the_next_life(
    town_with: Callable[..., Town],
) -> None:
    async with town_with(lamp=DARK) as town:
        file = town.state_folder / FILE_NAME
        file.mkdir()  # the audit cannot be written, as for the moment between the closing and its record
        await town.start_unit()
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        await town.control_room.close_alert(call.alert_id, Outcome.FALSE, "a child played", "op-1")
        outbox, owed = town.state_folder / OUTBOX, "SELECT 1 FROM memories WHERE alert_id LIKE 'outcome:%'"
        await until(lambda: _rows(outbox, owed), "the closing is on the disk")
        town.unit.kill()
        await town.unit.ended()
        file.rmdir()
        for life in ("the next", "and the one after that"):
            await town.start_unit()
            await until(lambda: _outcomes(file, call.alert_id), f"{life} has it on the disk")
            town.unit.kill()
            await town.unit.ended()
        ((ended, detail),) = _outcomes(file, call.alert_id)
        assert ended == ("false", "a child played", "op-1")
        assert detail.startswith("written after a restart of the unit; it happened at ")
        assert not _rows(outbox, owed), "and the outbox keeps it no longer"


def _outcomes(file: Path, alert_id: str) -> list[tuple[tuple[str, ...], str]]:
    """What the audit on the disk says of how the alert ended."""
    records = [json.loads(record) for (record,) in _rows(file, "SELECT record FROM audit ORDER BY place")]
    said = [each for each in records if each["what"] == "outcome" and each["alertId"] == alert_id]
    return [((each["outcome"], each["cause"], each["operatorRef"]), each.get("detail", "")) for each in said]


def _rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    """Of a file that a unit may have open, as a kill at this moment would leave it."""
    with tempfile.TemporaryDirectory() as folder:
        for each in file.parent.glob(f"{file.name}*"):
            shutil.copy(each, folder)
        with closing(sqlite3.connect(Path(folder) / file.name)) as copy, suppress(sqlite3.Error):
            return copy.execute(query).fetchall()
    return []
