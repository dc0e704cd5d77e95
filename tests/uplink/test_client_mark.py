"""Client ids that nobody guesses, and that the broker knows again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from agent.uplink.client_mark import FILE_NAME, ClientMark
from agent.uplink.manners import Manners

if TYPE_CHECKING:
    from pathlib import Path


def test_two_clients_of_one_name_are_two() -> None:
    one, other = Manners("unit-a").client_id, Manners("unit-a").client_id
    assert one != other
    assert one.startswith("unit-a-")
    assert len(one) == len("unit-a-") + 32


async def test_the_next_run_is_the_same_client_and_only_its_owner_reads_which(tmp_path: Path) -> None:
    file = tmp_path / "state" / FILE_NAME
    first, second = ClientMark(), ClientMark()
    await first.recall(file)
    await second.recall(file)
    assert first.on("unit-a") == second.on("unit-a")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_damaged_file_is_a_new_client(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"\xff\x00")
    mark, later = ClientMark(), ClientMark()
    before = mark.on("unit-a")
    await mark.recall(file)
    await later.recall(file)
    assert mark.on("unit-a") == before == later.on("unit-a")


async def test_a_disk_that_keeps_nothing_does_not_keep_the_unit_from_the_broker(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be", encoding="utf-8")
    mark = ClientMark()
    before = mark.on("unit-a")
    with capture_logs() as logs:
        await mark.recall(tmp_path / "state" / FILE_NAME)
    assert mark.on("unit-a") == before
    assert [each["event"] for each in logs] == ["client_mark_not_kept"]
