from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from agent import rooms
from agent.clock import SystemClock
from agent.hw.kit import HardwareLost
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.signals import Signal


class Part:
    """A part that fails as often as it is told, then works."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.works = asyncio.Event()

    async def run(self, working: Callable[[], None]) -> None:
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                raise failure
            return
        working()
        self.works.set()
        await asyncio.Event().wait()


async def kept(work: Callable[[Callable[[], None]], Awaitable[None]], until: asyncio.Event) -> list[Signal]:
    """What is reported of a part until it works."""
    reported: list[Signal] = []
    task = asyncio.create_task(rooms.keep("part", work, SystemClock(), reported.append))
    async with asyncio.timeout(60):
        await until.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return reported


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "BACKOFF_S", (0.0,))


async def test_a_part_that_works_reports_nothing() -> None:
    part = Part()
    assert await kept(part.run, part.works) == []


@pytest.mark.parametrize("failure", [HardwareLost("no pins"), RuntimeError("a bug"), None])
async def test_a_part_that_fails_is_reported_once_and_restored_once(failure: Exception | None) -> None:
    part = Part(failure, failure, failure)
    reported = await kept(part.run, part.works)
    assert [type(each) for each in reported] == [Faulted, FaultCleared]
    assert isinstance(reported[0], Faulted)
    assert str(failure or "ended by itself") in reported[0].text
