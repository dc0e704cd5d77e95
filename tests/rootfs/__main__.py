"""`./dev rootfs [bookworm|trixie]`: provision.sh for real, in Debian root file systems; 15 min for both.

In each one: a dry run, questions that are broken off, a first run by hand and a second one that changes nothing, each
way in by a password, twelve kill -9 at the boundaries of steps and inside them, an end, and an installation without a
network, to which the second engine of the voice is added. Needs root, mmdebstrap, and the network for the packages.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING

from tests.rootfs.base import CACHE, SUITES, NoRoot, base
from tests.rootfs.bundle import make_bundle
from tests.rootfs.doors import doors
from tests.rootfs.ends import decommissioned
from tests.rootfs.root import Root, release
from tests.rootfs.stories import Broken, by_hand, dry_run, offline, pulled_plugs, second_engine, unconfirmed

if TYPE_CHECKING:
    from pathlib import Path


def say(line: str) -> None:
    """Print now, also into a file."""
    print(line, flush=True)  # noqa: T201 - it is a command


def main(words: list[str]) -> int:
    """Run all stories; 1 when one of them broke, 2 when they cannot run here."""
    parser = argparse.ArgumentParser(
        prog="./dev rootfs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", nargs="*", choices=[*SUITES, []], help="which system (both)")
    parser.add_argument("--keep", action="store_true", help="keep the last root file systems, to look at")
    args = parser.parse_args(words)
    if os.geteuid() != 0:
        say("NOT RUN: entering a root file system needs root")
        return 2
    try:
        copy = release(CACHE / "release")
        for suite in args.suite or SUITES:
            _one(suite, copy, keep=args.keep)
    except NoRoot as why:
        say(f"NOT RUN: {why}")
        return 2
    except Broken as why:
        say(f"BROKEN: {why}")
        return 1
    return 0


def _one(suite: str, copy: Path, *, keep: bool) -> None:
    began_s = time.monotonic()
    bundle, told = make_bundle(suite, copy, CACHE)
    say(f"{suite}: {told}")
    made = base(suite)
    roots = [Root(made, copy, CACHE / f"{suite}-{name}") for name in ("online", "plugs", "offline")]
    online, plugs, alone = roots
    try:
        say(f"{suite}: dry run: {dry_run(online)}")
        say(f"{suite}: {unconfirmed(online)}")
        figures, there = by_hand(online)
        say(f"{suite}: by hand: {figures}")
        say(f"{suite}: {doors(online)}")
        say(f"{suite}: {pulled_plugs(plugs, there)}")
        say(f"{suite}: a disk of its own, then out of service: {decommissioned(plugs)}")
        say(f"{suite}: offline: {offline(alone, bundle, there)}")
        say(f"{suite}: the second engine: {second_engine(alone, bundle)}")
    finally:
        if not keep:
            for root in roots:
                root.clear()
    say(f"{suite}: all held, in {time.monotonic() - began_s:.0f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
