"""A folder in memory: each step of an update is synced, which takes a disk a minute for all these tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/dev/shm")  # noqa: S108 - the folders made in it are private


@pytest.fixture
def memory() -> Iterator[Path]:
    """A new folder in memory, where this machine has such."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)
