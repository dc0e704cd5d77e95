"""A soak that cannot fail proves nothing: what it must find is put before it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.footage.film import FRAME_S, film, store
from tests.soak.continuity import Continuity, Shot, shots
from tests.soak.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.hw.kit import Packet

SEGMENT_FRAMES = 30


def check(folder: Path, frames: Sequence[Packet], left_out: int | None = None) -> Continuity:
    """The verdict on these frames, stored in segments of two seconds, but for one."""
    for first in range(0, len(frames), SEGMENT_FRAMES):
        stored = [frames[n] for n in range(first, first + SEGMENT_FRAMES) if n != left_out]
        store(folder, stored, SEGMENT_FRAMES).close()
    found = Continuity(FRAME_S)
    for path in sorted((folder / "segments").glob("*.ts")):
        found.add_segment(path.name, shots(path, clocked=True))
    return found


def test_whole_footage_is_found_whole_and_its_joins_are_one_frame_long(tmp_path: Path) -> None:
    found = check(tmp_path, film(6))
    assert found.violations == []
    assert (found.stored, found.segments, found.late, found.missing) == (90, 3, 0, 0)
    assert found.longest_join_s == pytest.approx(FRAME_S, abs=1e-4)
    assert found.longest_step_s == pytest.approx(FRAME_S, abs=1e-4)


def test_a_frame_that_is_not_stored_is_a_violation_wherever_it_was(tmp_path: Path) -> None:
    for place in (
        SEGMENT_FRAMES - 1,
        SEGMENT_FRAMES + 14,
        2 * SEGMENT_FRAMES - 1,
    ):  # the last before a join, and within
        found = check(tmp_path / str(place), film(6), left_out=place)
        assert found.violations[0].endswith(f"frame {place + 1} follows frame {place - 1}")
        assert found.stored == 89


def test_footage_that_does_not_begin_with_the_first_frame_is_a_violation(tmp_path: Path) -> None:
    assert check(tmp_path, film(6)[SEGMENT_FRAMES:]).violations[0].endswith("footage begins with frame 30")


def test_a_time_that_is_not_that_of_the_picture_is_a_violation() -> None:
    found = Continuity(FRAME_S)
    found.add_segment("a", iter([Shot(100.0, 0, 100.0), Shot(100.0 + FRAME_S, 1, 100.0)]))
    assert len(found.violations) == 1


def test_a_late_frame_is_counted_as_late_and_a_missing_one_is_not() -> None:
    found = Continuity(FRAME_S)
    moments = [100.0, 100.0 + FRAME_S, 100.0 + 4 * FRAME_S]
    found.add_segment("a", iter(Shot(moment, number, moment) for number, moment in enumerate(moments)))
    assert (found.violations, found.late, found.missing) == ([], 1, 2)


def test_a_gap_before_a_camera_without_a_clock_is_a_violation() -> None:
    found = Continuity(FRAME_S)
    found.add_segment("a", iter([Shot(100.0, None, None), Shot(100.0 + 2 * FRAME_S, None, None)]))
    assert len(found.violations) == 1


def test_the_slope_of_memory_is_told_through_its_noise() -> None:
    dice = random.Random(3)
    memory = Memory()
    for look in range(360):
        at_s = look * 5.0
        memory.look(at_s, 100 + 12 * at_s / 3600 + dice.uniform(-1, 1))
    assert memory.slope_mb_h == pytest.approx(12, abs=1)
    assert memory.grown_mb == pytest.approx(6, abs=0.5)


def test_too_few_looks_have_no_slope() -> None:
    memory = Memory()
    memory.look(0, 100)
    memory.look(5, 200)
    assert memory.grown_mb == 0
