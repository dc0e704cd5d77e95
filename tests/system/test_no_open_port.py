"""No inbound port on a unit (design rule 8): seen from the kernel's own tables, on a whole unit at work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fakes.town import Town

LISTENING: Final = "0A"
CONNECTED: Final = "01"
"""States of a socket in /proc/net/tcp (proc(5))."""


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        yield from family(int(child))


def sockets(pids: Iterator[int]) -> set[str]:
    """The inodes of all sockets that these processes hold."""
    held = (fd.readlink().name for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink())
    return {name.removeprefix("socket:[").rstrip("]") for name in held if name.startswith("socket:[")}


def states(table: str, inodes: set[str]) -> list[str]:
    """How those of these sockets are that stand in a table of /proc/net."""
    rows = [line.split() for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]]
    return [row[3] for row in rows if row[9] in inodes]


async def test_a_unit_at_work_listens_nowhere(town_with: Callable[..., Town]) -> None:
    async with town_with(camera={"enabled": True}) as town:
        await town.start_unit()
        async with asyncio.timeout(60):
            while len([*family(town.unit.pid)]) < 2:  # the recorder is there too  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        held = sockets(family(town.unit.pid))
        tcp = [state for table in ("tcp", "tcp6") for state in states(table, held)]
        assert CONNECTED in tcp, "the unit's own connection to its broker is seen"
        assert LISTENING not in tcp
        # A UDP socket that is not connected takes what anybody sends to it.
        assert all(state == CONNECTED for table in ("udp", "udp6") for state in states(table, held))
