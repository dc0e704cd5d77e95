"""The thread that owns a file, with a disk that hangs when the story says so."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from agent.disk_thread import DiskThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class Lost(Exception):
    """What those who wait for this disk are told."""


def _explain(error: Exception) -> Lost:
    return Lost(str(error))


class HangingDisk:
    """Keeps what is written on it, transaction by transaction."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.written: list[list[str]] = []
        self.works = True
        self.closed = False

    def write(self, changes: Sequence[str]) -> None:
        self.goes_on.wait()
        if not self.works:
            msg = "no space left"
            raise OSError(msg)
        self.written.append([*changes])

    def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def owned(disk: HangingDisk, **more: Any) -> AsyncIterator[DiskThread[str]]:  # noqa: ANN401 - of DiskThread
    thread = DiskThread("a-disk", disk.write, explain=_explain, **more)
    try:
        yield thread
    finally:
        disk.goes_on.set()
        assert await thread.close(disk.close, 60.0)
        assert disk.closed


async def test_what_waits_for_the_disk_is_written_together_and_in_order() -> None:
    disk = HangingDisk()
    async with owned(disk) as thread:
        disk.goes_on.clear()
        hangs = thread.do(disk.goes_on.wait)
        first = [thread.change("a"), thread.change("b")]
        between = thread.do(lambda: [*disk.written])
        last = thread.change("c")
        disk.goes_on.set()
        await asyncio.gather(hangs, *first, last)
        assert await between == [["a", "b"]]
        assert disk.written == [["a", "b"], ["c"]]


async def test_a_lazy_change_waits_for_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.disk_thread.LAZY_S", 600.0)
    disk = HangingDisk()
    async with owned(disk) as thread:
        lazy = thread.change("lazy", lazy=True)
        await asyncio.sleep(0)
        await asyncio.gather(lazy, thread.change("urgent"))
        assert disk.written == [["lazy", "urgent"]]


async def test_a_lazy_change_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.disk_thread.LAZY_S", 0.01)
    disk = HangingDisk()
    async with owned(disk) as thread:
        await thread.change("lazy", lazy=True)
        assert disk.written == [["lazy"]]


async def test_no_more_waits_for_a_disk_that_hangs_than_there_is_room_for() -> None:
    disk, entered = HangingDisk(), threading.Event()

    def hang() -> None:
        entered.set()
        disk.goes_on.wait()

    async with owned(disk, most=2) as thread:
        disk.goes_on.clear()
        hangs = thread.do(hang)
        await asyncio.to_thread(entered.wait)
        kept = [thread.change("a"), thread.change("b")]
        with pytest.raises(Lost, match="the disk does not answer"):
            await thread.change("c")
        disk.goes_on.set()
        await asyncio.gather(hangs, *kept)
        assert disk.written == [["a", "b"]]


async def test_all_whose_changes_were_to_be_written_together_hear_that_they_were_not() -> None:
    disk = HangingDisk()
    async with owned(disk) as thread:
        disk.works = False
        told = await asyncio.gather(thread.change("a"), thread.change("b"), return_exceptions=True)
        assert [str(each) for each in told] == ["no space left"] * 2
        assert all(isinstance(each, Lost) for each in told)
        disk.works = True
        await thread.change("c")
        assert disk.written == [["c"]]


async def test_a_disk_that_hangs_holds_nobody_who_closes_it() -> None:
    disk = HangingDisk()
    thread = DiskThread("a-disk", disk.write, explain=_explain)
    disk.goes_on.clear()
    change = thread.change("a")
    try:
        assert not await thread.close(disk.close, 0.01)
    finally:
        disk.goes_on.set()
    await change  # what it was given it still does
    assert disk.written == [["a"]]
