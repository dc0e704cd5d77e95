"""A hold that is placed while another process removes footage keeps all that was there when it was placed."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from agent.footage.keep.holds import Hold, Holds
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentName
from agent.footage.store.stretch import Stretch
from tests.footage.film import START

if TYPE_CHECKING:
    from collections.abc import Iterator

SEGMENTS = 300


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is some: syncing to a disk makes races rare and slow."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def test_no_hold_is_violated_by_a_process_that_removes_the_oldest_footage_all_the_time(footage: Path) -> None:
    (footage / "segments").mkdir()
    index = FootageIndex(footage / "index.sqlite", footage / "segments")
    for name in (SegmentName.of(START.later(10.0 * n), 15) for n in range(SEGMENTS)):
        (footage / "segments" / str(name)).write_bytes(b"x")
        index.ended(name, name.start.monotonic_s + 9.9, 150, 1)
    index.close()
    oldest = min((footage / "segments").iterdir())
    holds, noon = Holds(footage), datetime(2026, 11, 22, 12, tzinfo=UTC)
    dice = random.Random(2)
    held: list[Path] = []
    missed = 0
    with subprocess.Popen(
        [sys.executable, "-m", "tests.footage.prune_alone", str(footage)], stdout=subprocess.DEVNULL
    ) as pruner:
        while oldest.exists():
            assert pruner.poll() is None, "it ended before it began"
        while pruner.poll() is None:
            next_to_go = sorted(set((footage / "segments").iterdir()) - set(held))[:3]
            if not next_to_go:
                continue  # it is about to find that all is held
            wanted = dice.choice(next_to_go)
            start = SegmentName.parse(wanted.name).start
            stretch = Stretch(start.boot_id, start.monotonic_s, start.monotonic_s)
            holds.place(Hold(f"crime {len(held) + missed}", "test", "test", noon, noon, noon, (stretch,)))
            if wanted.exists():
                held.append(wanted)
            else:
                missed += 1
    assert pruner.returncode == 0
    assert held, "some were placed in time"
    assert missed, "and some too late: the two did race"
    assert [path for path in held if not path.exists()] == []
    assert sorted((footage / "segments").iterdir()) == sorted(held)
