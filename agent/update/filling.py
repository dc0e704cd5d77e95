"""From a bundle into a slot: unpacked, installed, tried beside the daemon, and written down file by file."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from agent.update.bundle import BundleRefused, read_keys, read_manifest, unpack
from agent.update.install import InstallFailed

if TYPE_CHECKING:
    from pathlib import Path

    from agent.update.incoming import Candidate
    from agent.update.places import Places, Tools

ROOM_FACTOR = 4
"""Wheels unpack to about two and a half times their size, and compiled code is added."""


def fill(slot: Path, candidate: Candidate, places: Places, tools: Tools) -> None:
    """Put a version into a slot.

    Args:
        slot: A folder that does not exist yet.
        candidate: The bundle.
        places: Where the keys and the configuration lie, and room to unpack it.
        tools: What installs, tries and lists it.

    Raises:
        InstallFailed: it cannot be installed, does not work here, or is not what was signed.
        BundleRefused: it is not what it was when it was judged.
        OSError: the disk does not take it.
    """
    manifest, work = candidate.manifest, places.state / "work"
    needed, free = manifest.size_bytes * ROOM_FACTOR, shutil.disk_usage(slot.parent).free
    if free < needed:
        msg = f"it needs {needed // 1_000_000} MB and the disk has {free // 1_000_000} MB free"
        raise InstallFailed(msg)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        with candidate.path.open("rb") as bundle:
            # Read anew from its first byte: what was judged a moment ago may have been replaced since.
            again = read_manifest(bundle, read_keys(places.key_files))
            if again != manifest:
                msg = "it changed while it was read: bring it again"
                raise BundleRefused(msg)
            ends = bundle.tell()
            bundle.seek(0)
            head = bundle.read(ends)
            wheels = unpack(bundle, manifest, work)
        tools.install(wheels, slot)
        tools.prove(slot, manifest.version, places.config)
        tools.record(slot, head, wheels)  # last: whoever runs it now may not write into it any more
    finally:
        shutil.rmtree(work, ignore_errors=True)
