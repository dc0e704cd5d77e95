"""Segments: names that say all about their time, and a writer that never shows half a frame."""

from __future__ import annotations

import errno
import os
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import ClockQuality, Moment
from agent.footage.store.segments import SegmentName, SegmentWriter
from agent.footage.store.transport import read_frames
from tests.footage.film import BOOT, FPS, FRAME_S, START, film

if TYPE_CHECKING:
    from pathlib import Path


def test_a_name_says_wall_time_boot_monotonic_time_and_clock_quality() -> None:
    assert str(SegmentName.of(START, FPS)) == "20261122T021407.412Z-1a2b3c4d-000005000000-synced-15fps.ts"


@given(st.floats(0, 10**8), st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)), st.sampled_from(ClockQuality))  # noqa: DTZ001
def test_a_name_is_read_as_it_was_written(monotonic_s: float, wall: datetime, quality: ClockQuality) -> None:
    name = SegmentName.of(Moment(monotonic_s, wall.replace(tzinfo=UTC), BOOT, quality), 25)
    assert SegmentName.parse(str(name)) == name
    assert 0 <= monotonic_s - name.start.monotonic_s < 0.0011


def test_names_sort_by_time_through_the_hour_that_happens_twice() -> None:
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
    hours = [autumn + timedelta(minutes=10 * n) for n in range(18)]
    names = [
        str(SegmentName.of(Moment(600.0 * n, wall, BOOT, ClockQuality.SYNCED), FPS)) for n, wall in enumerate(hours)
    ]
    assert names == sorted(names)
    assert len(set(names)) == len(names)


def test_a_wall_clock_stepped_back_gives_no_name_twice() -> None:
    again = Moment(START.monotonic_s + 10, START.wall, BOOT, START.quality)
    assert str(SegmentName.of(START, FPS)) != str(SegmentName.of(again, FPS))


@pytest.mark.parametrize("name", ["x.ts", "20261122T021407Z.ts", "20261122T021407.412Z-1a2b3c4d-000005000000-maybe.ts"])
def test_other_files_are_no_segments(name: str) -> None:
    with pytest.raises(ValueError, match=r"maybe|not the name"):
        SegmentName.parse(name)


def test_a_segment_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, START, FPS)
    for count, frame in enumerate(film(1), start=1):
        writer.write(frame)
        with writer.path.open("rb") as file:
            assert len(list(read_frames(file, START.monotonic_s, FRAME_S))) == count
    writer.close()
    assert writer.path.stat().st_size == writer.size_bytes


def test_a_frame_that_the_disk_takes_half_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SegmentWriter(tmp_path, START, FPS)
    writer.write(film(1)[0])
    really_write, left = os.write, [4000]

    def nearly_full(fd: int, data: bytes) -> int:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = really_write(fd, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", nearly_full)
    frames = iter(film(1)[1:])
    with pytest.raises(OSError, match="No space left"):
        deque(map(writer.write, frames))
    writer.close()
    assert 1 < writer.frames < len(film(1))
    with writer.path.open("rb") as file:
        assert len(list(read_frames(file, START.monotonic_s, FRAME_S))) == writer.frames
    assert writer.path.stat().st_size == writer.size_bytes
