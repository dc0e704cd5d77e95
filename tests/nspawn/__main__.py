"""`./dev nspawn [trixie|bookworm]`: the unit as it is provisioned, under a real systemd in a container.

It boots; the agent, in its sandbox, with camera and microphone on the simulated street, is armed and calls a control
room over a real mosquitto. It is hung, and killed; it takes an update, and goes back from two bad ones, once though the
power is cut in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fakes.town import Town
from tests.nspawn import provisioned
from tests.nspawn.machine import Machine, MachineImpossible, fresh_root
from tests.nspawn.stories import STORIES, Unit

UNARMED = {"arming": {"mode": "manual", "windows": []}}
NEEDED_BYTES = 3_000_000_000
"""The system, the agent in both slots, bundles and films."""
BUILD = provisioned.REPOSITORY / "build/nspawn"


def say(line: str) -> None:
    """Print now, also into a file."""
    print(line, flush=True)  # noqa: T201 - it is a command


def skip(why: str) -> int:
    """Say loudly that nothing was shown."""
    say(f"\n*** NOT RUN UNDER A REAL SYSTEMD: {why}\n*** What a listener of NOTIFY_SOCKET can show is in ./dev test.")
    return 0


def main(words: list[str]) -> int:
    """Tell all stories; 1 when one did not hold."""
    arguments = argparse.ArgumentParser(prog="./dev nspawn", description=__doc__)
    arguments.add_argument("suite", nargs="?", default="trixie", choices=sorted(provisioned.PYTHONS))
    arguments.add_argument("--only", action="append", choices=[story.__name__ for story in STORIES], help="a story")
    given = arguments.parse_args(words)
    if shutil.which("systemd-nspawn") is None:
        return skip("systemd-nspawn is missing; apt-get install systemd-container")
    base = BUILD / given.suite / "base"
    made = [str(provisioned.REPOSITORY / "tests/rootfs/make"), given.suite, str(base), *provisioned.PACKAGES]
    if subprocess.run(made, check=False).returncode != 0:
        return skip("there is no root file system, for the reason above")
    # In memory: what else this machine does to its disk must not stall the unit. Not in /tmp: the agent has its own.
    memory = Path("/dev/shm")  # noqa: S108 - a private folder in it
    if not memory.is_dir() or shutil.disk_usage(memory).free < NEEDED_BYTES:
        return skip(f"{memory} has no room: {NEEDED_BYTES // 1_000_000} MB are needed")
    with tempfile.TemporaryDirectory(prefix="town-", dir=memory) as name:
        shared = Path(name)
        shared.chmod(0o755)
        return asyncio.run(tell(given.suite, base, shared, given.only))


async def tell(suite: str, base: Path, shared: Path, only: list[str] | None) -> int:
    """Provision a machine, boot it, and tell the stories on it."""
    releases, root = BUILD / suite / "releases", shared / "unit"
    bundle, key = provisioned.bundle_of_this_checkout(suite, releases)
    public = key.with_suffix(".pem")
    manifest = provisioned.opened(bundle, public, releases / "wheels")
    fresh_root(base, root)
    provisioned.install_units(root)
    provisioned.install_first_slot(root, releases / "wheels")
    folder = shared / "town"
    folder.mkdir()
    town = Town(folder, "safe-space", UNARMED, journal=folder / "messages.jsonl")
    town.sound = provisioned.SoundOfUnit(root)
    provisioned.configure(root, town, public, camera=provisioned.CAMERA, footage=provisioned.FOOTAGE)
    machine = Machine(root, folder)
    async with town:
        town.street.socket_path.chmod(0o666)
        try:
            await machine.boot()
        except MachineImpossible as impossible:
            return skip(str(impossible))
        try:
            unit = Unit(machine, town, manifest, releases, key, say)
            failed = 0
            for story in STORIES:
                if only is None or story.__name__ in only:
                    try:
                        say(f"{suite}: {story.__name__.replace('_', ' ')}")
                        await story(unit)
                    except (AssertionError, TimeoutError, subprocess.CalledProcessError) as error:
                        failed += 1
                        say(f"  FAILED: {error!r}\n{machine.journal('--lines=40')}")
            return 1 if failed else 0
        finally:
            await machine.cut_power()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
