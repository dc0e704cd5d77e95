"""Real volumes for tests: small file systems in memory that are mounted, filled, made read-only and torn away."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


class Disk:
    """A file system behind a mount point, as a USB disk is: what is on it outlives its unmounting."""

    def __init__(self, folder: Path, name: str, size_kb: int) -> None:
        self._at = folder / name
        self._at.mkdir()
        self._mounts: list[Path] = []
        self._mount(self._at, "-t", "tmpfs", "-o", f"size={size_kb}k", "none")

    def plug_in(self, mount: Path, *, read_only: bool = False) -> None:
        """Mount it here."""
        self._mount(mount, "--bind", str(self._at))
        if read_only:
            _run("mount", "-o", "remount,bind,ro", str(mount))

    def grow(self, size_kb: int) -> None:
        """Give it another size."""
        _run("mount", "-o", f"remount,size={size_kb}k", str(self._at))

    def tear_out(self, mount: Path) -> None:
        """It is gone from one moment to the next, whoever has files open on it."""
        _run("umount", "-l", str(mount))
        self._mounts.remove(mount)

    def throw_away(self) -> None:
        """Unmount everything that is left."""
        for mount in reversed(self._mounts):
            _run("umount", "-l", str(mount))

    def _mount(self, mount: Path, *how: str) -> None:
        try:
            _run("mount", *how, str(mount))
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            self.throw_away()
            why = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
            pytest.skip(f"NO TEST OF A LOST VOLUME RAN: mounting is not permitted here ({why})")
        self._mounts.append(mount)
