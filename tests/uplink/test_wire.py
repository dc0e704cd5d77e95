"""What the unit counts is what its network carries."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from agent.uplink.wire import IPV4_SEGMENT_BYTES, IPV6_SEGMENT_BYTES, Wire
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 120.0
SEVERAL = 5
"""Segments that say hello, acknowledge and say good-bye, about."""


class Pair:
    """A connection over loopback; `ours` is counted."""

    def __init__(self, wire: Wire, host: str) -> None:
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
            self.ours = socket.create_connection(server.getsockname()[:2])
            self.theirs, _ = server.accept()
        wire.watch(self.ours)

    def say(self, size_bytes: int) -> None:
        self.ours.sendall(bytes(size_bytes))
        left = size_bytes
        while left > 0:
            left -= len(self.theirs.recv(left))


@pytest.fixture
def connect() -> Iterator[Callable[..., Pair]]:
    with ExitStack() as open_ends:

        def connect(wire: Wire, host: str = "127.0.0.1") -> Pair:
            pair = Pair(wire, host)
            open_ends.enter_context(pair.ours)
            open_ends.enter_context(pair.theirs)
            return pair

        yield connect


@pytest.mark.parametrize(("host", "around"), [("127.0.0.1", IPV4_SEGMENT_BYTES), ("::1", IPV6_SEGMENT_BYTES)])
async def test_both_ways_count_with_a_header_around_each_segment(
    connect: Callable[..., Pair], host: str, around: int
) -> None:
    wire = Wire()
    try:
        pair = connect(wire, host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    hello = wire.carried_bytes
    assert 2 * around <= hello <= SEVERAL * around
    pair.say(1_000)
    pair.theirs.sendall(bytes(500))
    assert len(pair.ours.recv(500)) == 500
    await until(lambda: wire.carried_bytes >= hello + 1_500 + 3 * around, "the acknowledgement counts, too")
    assert wire.carried_bytes <= hello + 1_500 + SEVERAL * around


async def test_what_was_carried_stays_counted_when_its_socket_is_gone(connect: Callable[..., Pair]) -> None:
    wire = Wire()
    told, silent = connect(wire), connect(wire)
    for pair in (told, silent):
        pair.say(2_000)
    wire.look()
    before = wire.carried_bytes
    told.say(700)
    wire.last_look(told.ours)
    told.ours.close()
    silent.ours.close()
    after = wire.carried_bytes
    assert 700 <= after - before <= 700 + 2 * SEVERAL * IPV4_SEGMENT_BYTES
    wire.last_look(told.ours)
    assert wire.carried_bytes == after, "nothing counts twice"


async def test_the_account_is_the_bill_of_alerts_uploads_and_handshakes_in_vain(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    alone = () if unshare is None else (unshare, "--map-root-user", "--net")
    if not alone or await _ends(*alone, "true"):
        pytest.skip("no network of its own can be made here (unshare --net): the loopback carries others' bytes, too")
    told = await _says(*alone, sys.executable, "-m", "tests.uplink.carried_alone", str(tmp_path))
    bill = json.loads(told)
    assert set(bill) == {"alerts", "vain", "upload", "upload in vain"}
    for story, each in bill.items():
        # The kernel hands the loopback two segments as one packet where it can: our count has the header of both.
        assert 0.98 <= each["counted"] / each["carried"] <= 1.08, (story, each)
    assert bill["vain"]["carried"] > 3 * 1_500, "three handshakes"


async def _ends(*command: str) -> int:
    """The exit code of a command."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(LIMIT_S):
        return await process.wait()


async def _says(*command: str) -> str:
    """The last line that a command prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    async with asyncio.timeout(LIMIT_S):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode().splitlines()[-1]
