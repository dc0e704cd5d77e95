"""The leak police: a test that leaves a task, timer, thread, child process or socket behind has failed."""

from __future__ import annotations

import ast
import asyncio
import functools
import gc
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SETTLE_S = 30.0
"""How long what was asked to end may take to be gone; only a leak ever waits this long."""


def _children() -> set[int]:
    """Pids of this process's living or unreaped child processes."""
    me = str(os.getpid())
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text(encoding="ascii", errors="replace").rsplit(") ", 1)[1].split()[1]
        except (OSError, IndexError):
            continue  # it ended while we looked
        if parent == me:
            found.add(int(stat.parent.name))
    return found


def _sockets() -> set[str]:
    """The sockets this process holds open."""
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            target = str(fd.readlink())
        except OSError:
            continue  # the listing's own descriptor
        if target.startswith("socket:"):
            found.add(target)
    return found


def _threads() -> set[threading.Thread]:
    """Living threads, but the loop's own executor: the loop ends that when it closes."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


def _timers() -> set[asyncio.TimerHandle]:
    """What is scheduled on the loop and not cancelled, but this fixture's own sleep."""
    scheduled: list[asyncio.TimerHandle] = getattr(asyncio.get_running_loop(), "_scheduled", [])
    return {timer for timer in scheduled if not timer.cancelled() and "_set_result_unless_cancelled" not in repr(timer)}


def _held() -> dict[str, set[object]]:
    return {
        "tasks": {task for task in asyncio.all_tasks() if task is not asyncio.current_task()},
        "timers": {*_timers()},
        "threads": {*_threads()},
        "child processes": {*_children()},
        "sockets": {*_sockets()},
    }


def _parse_without_finalisers(parse: Callable[..., ast.AST]) -> Callable[..., ast.AST]:
    @functools.wraps(parse)
    def parsed(*args: Any, **kwargs: Any) -> ast.AST:  # noqa: ANN401 - as `ast.parse` takes them
        was_on = gc.isenabled()
        gc.disable()
        try:
            return parse(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return parsed


# Hypothesis fails an example that takes 200 ms, and a test whose first examples take a second to make: measures of the
# machine, not of the code.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

if sys.version_info < (3, 11, 8):
    # Before 3.11.8 a garbage collection in the middle of `ast.parse` may run Python code that parses as well, such as a
    # logged traceback, and then the outer one raises "AST constructor recursion depth mismatch" (CPython 106905): it
    # took whole workers of pytest with it while they wrote the report of a failed test.
    ast.parse = _parse_without_finalisers(ast.parse)  # type: ignore[assignment]


@pytest.fixture(autouse=True)
async def nothing_leaks() -> AsyncIterator[None]:
    """Compare what the process holds before and after every test, async or not."""
    before = _held()
    yield
    loop = asyncio.get_running_loop()
    end = loop.time() + SETTLE_S
    leaked = before
    while any(leaked.values()) and loop.time() < end:
        leaked = {what: held - before[what] for what, held in _held().items()}
        await asyncio.sleep(0 if not any(leaked.values()) else 0.02)
    if any(leaked.values()):
        pytest.fail(f"left behind: { {what: held for what, held in leaked.items() if held} }")
