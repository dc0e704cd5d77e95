"""The volume that footage lies on: nothing is written where it should be mounted and is not."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config


class Refused(OSError):
    """Nothing may be written now, although the disk would take it; it is tried again like any failure of a disk."""

    code: ClassVar[str]
    """Of the fault that tells it."""


class MountMissing(Refused):
    """The footage volume is not there: what would be written now would fill the system's own card."""

    code = "mount-missing"


@dataclass(frozen=True)
class Volume:
    """The footage folder and where its volume is to be mounted; `mount` None: on the system's own disk."""

    folder: Path
    mount: Path | None = None

    def check(self) -> None:
        """Return when the folder is on its volume, whether it is made yet or not.

        Raises:
            MountMissing: nothing is mounted there, or the folder's path leads to another file system.
        """
        if self.mount is None:
            return
        if not os.path.ismount(self.mount):
            raise MountMissing(errno.ENODEV, f"nothing is mounted on {self.mount}")
        try:
            there = next(path for path in (self.folder, *self.folder.parents) if path.exists())
            same = there.stat().st_dev == self.mount.stat().st_dev
        except OSError as error:  # it went between the two looks, or a dying disk does not answer
            raise MountMissing(errno.ENODEV, f"{self.mount} does not answer ({error.strerror})") from error
        if not same:
            raise MountMissing(errno.ENODEV, f"{self.folder} is not on the volume that is mounted on {self.mount}")

    def make(self, name: str) -> Path:
        """A folder of the footage folder, which is made where it is missing.

        Raises:
            MountMissing: as `check`.
            OSError: the disk does not take it.
        """
        self.check()
        made = self.folder / name
        made.mkdir(parents=True, exist_ok=True)
        return made


def volume_of(config: Config) -> Volume:
    """Where this unit's footage lies."""
    return Volume(config.footage_folder, config.footage.mount)


def free_bytes(folder: Path) -> int:
    """What an ordinary process may still write below this folder."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
