"""What lies in a root file system: every name with its kind, owner, mode, content and, if wanted, its times."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Listing = dict[str, tuple[object, ...]]

NOT_THE_UNITS: Final = ("proc", "sys", "dev", "run", "tmp", "var/tmp", "release")
LOG: Final = "var/log/safepoint-provision.log"
"""Tells of each run, so it is another one after each."""

OF_ONE_INSTALLATION: Final = (
    "var/log/",
    "var/cache/",
    "var/lib/apt/",
    "var/lib/dpkg/",  # compared by what dpkg says
    "var/lib/systemd/",
    "etc/ld.so.cache",
    "usr/lib/udev/hwdb.bin",
    "etc/.pwd.lock",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
    "var/lib/safepoint/tls/",  # a key that nobody else has,
    "var/lib/safepoint-software/",  # the sums of compiled modules
    "var/lib/safepoint-provision/request",  # and what is asked for it
)
"""What two installations never have alike: times, keys, caches."""


def listing(root: Path) -> Listing:
    """All of it, with times in ns."""
    return {name: _facts(root / name, status) for name, status in _walk(root) if name != LOG}


def comparable(found: Listing) -> Listing:
    """What another installation with the same answers has too."""
    return {
        name: (*facts[:3], facts[3] if _same_content(name) else None)
        for name, facts in found.items()
        if not name.startswith(OF_ONE_INSTALLATION)
    }


def differences(one: Listing, other: Listing) -> list[str]:
    """What is in only one of them, or not the same in both."""
    names = sorted(one.keys() | other.keys())
    return [f"{name}: {one.get(name)} / {other.get(name)}" for name in names if one.get(name) != other.get(name)]


def _same_content(name: str) -> bool:
    # Compiled modules hold the time of their source, and pip's records where the release was built from.
    return not name.endswith((".pyc", "/software/list")) and "safepoint_agent-" not in name


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    folders = [root]
    while folders:
        for entry in sorted(os.scandir(folders.pop()), key=lambda entry: entry.name):
            name = str(Path(entry.path).relative_to(root))
            if name in NOT_THE_UNITS:
                continue
            status = entry.stat(follow_symlinks=False)
            yield name, status
            if stat.S_ISDIR(status.st_mode):
                folders.append(Path(entry.path))


def _facts(path: Path, status: os.stat_result) -> tuple[object, ...]:
    content: object = None
    if stat.S_ISREG(status.st_mode):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)  # noqa: PTH115 - as it is written
    return (oct(status.st_mode), status.st_uid, status.st_gid, content, status.st_mtime_ns)
