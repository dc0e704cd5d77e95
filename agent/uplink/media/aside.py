"""Work on a disk that may hang, beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Do this in a thread, and return what it returns or raise what it raises.

    A daemon thread, not one of asyncio's own: those are waited for at the end of the process, and a disk that hangs in
    the kernel must not keep it from ending.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def give(result: T) -> None:
        if not done.done():  # whoever waited was cancelled
            done.set_result(result)

    def fail(error: Exception) -> None:
        if not done.done():
            done.set_exception(error)

    def run() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
                loop.call_soon_threadsafe(fail, error)
            else:
                loop.call_soon_threadsafe(give, result)

    threading.Thread(target=run, name="media-disk", daemon=True).start()
    return await done
