"""Real disks for footage: file systems of this machine's own kernel, mounted for one test."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CARD_MB = 24
"""A card that holds a minute or two of small pictures, and is copied in no time."""


def run(*command: str | Path) -> None:
    """Run a tool of the system's; what it complained of is in the error."""
    subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)


def mount(place: Path, *options: str | Path) -> None:
    """Mount a file system here; a machine that does not let us is a loud skip, since nothing then shows the rule."""
    try:
        run("mount", *options, place)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"NOT SHOWN HERE: this machine does not let us mount a file system ({reason.strip()})")


@contextlib.contextmanager
def mounted(place: Path, *options: str | Path) -> Iterator[Path]:
    """Have a file system mounted here while the block lasts."""
    place.mkdir(parents=True, exist_ok=True)
    mount(place, *options)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def new_card(image: Path, size_mb: int = CARD_MB) -> Path:
    """An ext4 file system in a file, as a card has it from provisioning."""
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,root_owner=0:0", image)
    return image


def card(image: Path, place: Path) -> contextlib.AbstractContextManager[Path]:
    """The card in its slot."""
    return mounted(place, "-o", "loop", image)


class Disk:
    """A file system behind a mount point, as a USB disk is: what is on it outlives its unmounting."""

    def __init__(self, folder: Path, name: str, size_kb: int) -> None:
        self._at = folder / name
        self._at.mkdir()
        self._mounts: list[Path] = []
        self._mount(self._at, "-t", "tmpfs", "-o", f"size={size_kb}k", "none")

    def plug_in(self, place: Path, *, read_only: bool = False) -> None:
        """Mount it here."""
        self._mount(place, "--bind", self._at)
        if read_only:
            run("mount", "-o", "remount,bind,ro", place)

    def grow(self, size_kb: int) -> None:
        """Give it another size."""
        run("mount", "-o", f"remount,size={size_kb}k", self._at)

    def tear_out(self, place: Path) -> None:
        """It is gone from one moment to the next, whoever has files open on it."""
        run("umount", "-l", place)
        self._mounts.remove(place)

    def throw_away(self) -> None:
        """Unmount everything that is left."""
        for place in reversed(self._mounts):
            run("umount", "-l", place)

    def _mount(self, place: Path, *how: str | Path) -> None:
        try:
            mount(place, *how)
        except BaseException:  # also the skip of a machine that mounts the first one and no more
            self.throw_away()
            raise
        self._mounts.append(place)
