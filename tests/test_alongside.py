"""Work beside a story ends with it, and does not fail unseen."""

from __future__ import annotations

import asyncio

import pytest

from tests.alongside import alongside


async def test_it_is_ended_with_the_story() -> None:
    ended = asyncio.Event()

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with alongside(works()):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_what_fails_by_itself_fails_the_story() -> None:
    async def fails() -> None:
        msg = "unseen"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="unseen"):
        async with alongside(fails()):
            await asyncio.sleep(0)
