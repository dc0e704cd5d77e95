"""`./dev nspawn [trixie|bookworm]`: a bare system under a real systemd in a container becomes a unit by provision.sh.

Offline and unattended, until it is armed; a second run changes nothing. Started anew, it boots; the agent, in its
sandbox, with camera and microphone on the simulated street, is armed and calls a control room over a real mosquitto. It
is hung, and killed; it takes an update, and goes back from two bad ones, once though the power is cut in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fakes.town import Town
from tests.nspawn import provisioned
from tests.nspawn.from_bare import FROM_BARE, Engineer, make_bare
from tests.nspawn.machine import Machine, MachineImpossible
from tests.nspawn.stories import STORIES, Unit
from tests.rootfs.base import NoRoot, base, unpack
from tests.rootfs.bundle import make_bundle
from tests.rootfs.root import release

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

Teller = TypeVar("Teller")
UNARMED = {"arming": {"mode": "manual", "windows": []}}
NEEDED_BYTES = 3_000_000_000
"""The system, the agent in both slots, bundles and films."""
LOCK = Path("/run/lock/safepoint-nspawn.lock")
BUILD = provisioned.REPOSITORY / "build/nspawn"


def say(line: str) -> None:
    """Print now, also into a file."""
    print(line, flush=True)  # noqa: T201 - it is a command


def skip(why: str) -> int:
    """Say loudly that nothing was shown."""
    say(f"\n*** NOT RUN UNDER A REAL SYSTEMD: {why}\n*** What a listener of NOTIFY_SOCKET can show is in ./dev test.")
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other run has booted a machine here: both would have the same control groups.

    A machine that nobody registers has /payload, so each would count and wait for the other's processes.
    """
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run on this machine to end ({LOCK})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(words: list[str]) -> int:
    """Tell all stories; 1 when one did not hold."""
    arguments = argparse.ArgumentParser(prog="./dev nspawn", description=__doc__)
    arguments.add_argument("suite", nargs="?", default="trixie", choices=sorted(provisioned.PYTHONS))
    arguments.add_argument("--only", action="append", choices=[story.__name__ for story in STORIES], help="a story")
    given = arguments.parse_args(words)
    if shutil.which("systemd-nspawn") is None:
        return skip("systemd-nspawn is missing; apt-get install systemd-container")
    try:
        made = base(given.suite)
    except NoRoot as why:
        return skip(str(why))
    # In memory: what else this machine does to its disk must not stall the unit. Not in /tmp: the agent has its own.
    memory = Path("/dev/shm")  # noqa: S108 - a private folder in it
    if not memory.is_dir() or shutil.disk_usage(memory).free < NEEDED_BYTES:
        return skip(f"{memory} has no room: {NEEDED_BYTES // 1_000_000} MB are needed")
    with alone(), tempfile.TemporaryDirectory(prefix="town-", dir=memory) as name:
        shared = Path(name)
        shared.chmod(0o755)
        return asyncio.run(tell(given.suite, made, shared, given.only))


async def tell(suite: str, made: Path, shared: Path, only: list[str] | None) -> int:
    """Make a unit of a bare machine, start it anew, and tell the stories on it."""
    folder, releases, root = shared / "town", BUILD / suite / "releases", shared / "unit"
    folder.mkdir()
    copy = release(folder / "release")
    offline, told = make_bundle(suite, copy, folder)
    say(f"{suite}: {told}")
    bundle, key = provisioned.bundle_of_this_checkout(suite, releases)
    public = key.with_suffix(".pem")
    manifest = provisioned.opened(bundle, public, releases / "wheels")
    unpack(made, root)
    make_bare(root)
    town = Town(folder, "safe-space", UNARMED, journal=folder / "messages.jsonl")
    town.sound = provisioned.SoundOfUnit(root)
    machine = Machine(root, folder)
    async with town:
        town.street.socket_path.chmod(0o666)
        try:
            await machine.boot()
        except MachineImpossible as impossible:
            return skip(str(impossible))
        try:
            engineer = Engineer(machine, town, copy, offline, say)
            for first in FROM_BARE:  # each begins where the one before ended, and all others with them
                if not await _holds(suite, machine, first, engineer):
                    return 1
            # As the script asks: restart the machine once.
            await machine.cut_power()
            provisioned.configure(root, town, public, camera=provisioned.CAMERA, footage=provisioned.FOOTAGE)
            await machine.boot()
            unit = Unit(machine, town, manifest, releases, key, say)
            wanted = [story for story in STORIES if only is None or story.__name__ in only]
            held = [await _holds(suite, machine, story, unit) for story in wanted]
            return 0 if all(held) else 1
        finally:
            await machine.cut_power()


async def _holds(suite: str, machine: Machine, story: Callable[[Teller], Awaitable[None]], teller: Teller) -> bool:
    """Tell a story, and say so when it did not hold."""
    try:
        say(f"{suite}: {story.__name__.replace('_', ' ')}")
        await story(teller)
    except (AssertionError, TimeoutError, subprocess.CalledProcessError) as error:
        say(f"  FAILED: {error!r}\n{machine.journal('--lines=40')}")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
