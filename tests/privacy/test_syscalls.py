"""Whatever way a program takes to get sound out, it is heard: so that the privacy test of a whole unit can fail."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from tests.privacy.sound_search import SoundSearch
from tests.privacy.spoken import PHRASE, recording
from tests.privacy.syscalls import Calls
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 3200
WAYS = {
    "a file that is gone at once": "path = Path('gone'); path.write_bytes(sound); path.unlink()",
    "a block a file": "for number, block in enumerate(blocks): Path(f'{number}').write_bytes(block)",
    "a file without a name": "with tempfile.TemporaryFile() as file: file.write(sound)",
    "datagrams": "for block in blocks: datagrams.sendto(block, ('127.0.0.1', 9))",
    "a pipe": "os.write(os.pipe()[1], sound[:60_000])",
    "pieces in one call": "os.writev(os.open('x', os.O_CREAT | os.O_WRONLY), blocks)",
    "at a place of a file": "os.pwrite(os.open('x', os.O_CREAT | os.O_WRONLY), sound, 100)",
    "a pair of sockets": "here, there = socket.socketpair(); here.sendmsg(blocks[:10])",
    "a thread": "thread = threading.Thread(target=Path('x').write_bytes, args=[sound]); thread.start(); thread.join()",
    "a child": "if not os.fork(): Path('x').write_bytes(sound)",
}


async def watched(folder: Path, program: str) -> Calls:
    """What this program did, which has a recording as `sound`."""
    (folder / "sound").write_bytes(recording(PHRASE).tobytes())
    begin = (
        "import mmap, os, socket, tempfile, threading; from pathlib import Path; sound = Path('sound').read_bytes(); "
        f"blocks = [sound[at : at + {BLOCK}] for at in range(0, len(sound), {BLOCK})]; "
        "datagrams = socket.socket(type=socket.SOCK_DGRAM)\n"
    )
    calls = Calls(folder)
    process = await asyncio.create_subprocess_exec(*calls.under, sys.executable, "-c", begin + program, cwd=folder)
    assert await process.wait() == 0
    await until(lambda: calls.ended, "it is written down")
    return calls


@pytest.mark.parametrize("way", WAYS)
async def test_sound_is_found_on_any_way_out(tmp_path: Path, way: str) -> None:
    calls = await watched(tmp_path, WAYS[way])
    to_files, to_others = calls.artefacts()
    assert SoundSearch({PHRASE: recording(PHRASE)}).find([*to_files, *to_others])


async def test_what_is_written_into_shared_memory_is_named(tmp_path: Path) -> None:
    share = "file = open('shared', 'w+b'); file.truncate(9000); mmap.mmap(file.fileno(), 9000)[:2] = b'ab'"
    calls = await watched(tmp_path, share)
    assert calls.ways_past() == {str(tmp_path / "shared")}


async def test_files_are_named_and_ports_of_networks(tmp_path: Path) -> None:
    calls = await watched(tmp_path, WAYS["a file that is gone at once"] + "; " + "datagrams.connect(('127.0.0.1', 99))")
    assert calls.written() == {str(tmp_path / "gone")}
    assert calls.ports() == {99}
    (tmp_path / "again").mkdir()
    waits = "socket.create_server(('127.0.0.1', 0))"
    assert (await watched(tmp_path / "again", waits)).ports() == {0}, "of one that waits for callers"


async def test_a_program_that_hands_over_nothing_has_given_nothing(tmp_path: Path) -> None:
    calls = await watched(tmp_path, "len(sound)")
    assert (calls.artefacts(), calls.written(), calls.ports(), calls.ways_past()) == (([], []), set(), set(), set())
