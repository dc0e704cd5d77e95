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


@contextlib.contextmanager
def mounted(place: Path, *options: str | Path) -> Iterator[Path]:
    """Mount a file system here; a machine that does not let us is a loud skip, since nothing then shows the rule."""
    place.mkdir(parents=True, exist_ok=True)
    try:
        run("mount", *options, place)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"NOT SHOWN HERE: this machine does not let us mount a file system ({reason.strip()})")
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
