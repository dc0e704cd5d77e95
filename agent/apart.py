"""Work that may hang with a disk: done in a thread of its own, which is left alone when it does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def apart(work: Callable[[], T], *, name: str, within_s: float) -> T:
    """What `work` returns.

    The thread is a daemon and nobody's: asyncio's own executor would wait for a hung one when the process ends.

    Args:
        work: Blocks, and touches nothing that belongs to the event loop.
        name: The thread's.
        within_s: How long to wait for it.

    Raises:
        TimeoutError: it hangs; whatever it does later is lost.
        Exception: what `work` raised.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def give(result: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type] # a result when there is no error

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(give, result, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(within_s):
        return await done
