"""The index is a convenience: whatever happens to it, the files tell it the truth again."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import pytest

from agent.footage.show.clips import Wish, cut_clip
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentName, SegmentWriter, boot_of
from agent.footage.store.timeline import frames_between
from agent.footage.store.transport import CELL_BYTES
from tests.footage.film import FPS, FRAME_S, START, StoppedClock, clocks, film, store

if TYPE_CHECKING:
    from pathlib import Path


WISH = Wish(START.monotonic_s, START.monotonic_s + 2, START.wall)


def reopened(folder: Path) -> FootageIndex:
    return FootageIndex(folder / "index.sqlite", folder / "segments")


def told(index: FootageIndex) -> list[tuple[str, float, int, bool]]:
    return [(str(s.name), round(s.end_s, 3), s.size_bytes, s.closed) for s in index.segments()]


def test_an_index_made_from_the_files_alone_equals_the_one_that_was_kept(tmp_path: Path) -> None:
    store(tmp_path, (), 1).close()
    index, frames = reopened(tmp_path), film(6)
    for first in range(0, len(frames), 2 * FPS):
        writer = SegmentWriter(tmp_path / "segments", StoppedClock().at(frames[first].taken_s), FPS)
        index.opened(writer.name)
        for frame in frames[first : first + 2 * FPS]:
            writer.write(frame)
        writer.close()
        index.ended(writer.name, writer.end_s, writer.frames, writer.size_bytes)
    kept = told(index)
    index.close()
    (tmp_path / "index.sqlite").unlink()
    index = reopened(tmp_path)
    assert told(index) == kept
    assert len(kept) == 3
    index.close()


def test_a_broken_index_is_made_again(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    kept = told(index)
    index.close()
    (tmp_path / "index.sqlite").write_bytes(b"this is no database" * 400)
    index = reopened(tmp_path)
    assert told(index) == kept
    index.close()


def test_rows_without_a_file_go_and_files_that_are_no_segments_stay(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    first, second = index.segments()
    first.path.unlink()
    (tmp_path / "segments" / "holiday.ts").write_bytes(b"x")
    index.agree_with_files()
    assert index.segments() == [second]
    assert (tmp_path / "segments" / "holiday.ts").exists()
    index.close()


def test_the_newest_segment_cut_at_two_hundred_bytes_is_known_and_plays_up_to_its_last_whole_frame(
    tmp_path: Path,
) -> None:
    store(tmp_path, (), 1).close()
    writer = SegmentWriter(tmp_path / "segments", START, FPS)
    ends = []
    for frame in film(2):
        writer.write(frame)
        ends.append(writer.size_bytes)
    writer.close()
    data = writer.path.read_bytes()
    dice = random.Random(5)
    for cut in (dice.randrange(CELL_BYTES, len(data)) for _ in range(200)):
        index = reopened(tmp_path)
        index.opened(writer.name)
        index.close()
        writer.path.write_bytes(data[:cut])
        index = reopened(tmp_path)
        whole = sum(end <= cut for end in ends)
        ends_s = [START.monotonic_s + (whole - 1) * FRAME_S] if whole else []
        assert [s.end_s for s in index.segments()] == pytest.approx(ends_s, abs=1e-4)
        assert all((s.size_bytes, s.closed) == (cut, True) for s in index.segments())
        assert writer.path.exists() == bool(whole), "a file without a single frame is removed"
        if whole:
            kept = frames_between(index, boot_of(START), START.monotonic_s, START.monotonic_s + 2)
            assert len(clocks(cut_clip(kept, WISH, tmp_path / "clip.mp4").path)) == whole, "every whole frame decodes"
            with av.open(str(writer.path)) as container:
                assert sum(1 for _ in container.decode(video=0)) >= whole, "any player shows it too"
        index.close()


def test_a_segment_is_found_by_any_moment_that_it_may_hold_in_its_own_boot(tmp_path: Path) -> None:
    index = store(tmp_path, film(6), 2 * FPS)
    begin, boot = START.monotonic_s, boot_of(START)
    starts = [s.name.start.monotonic_s - begin for s in index.covering(boot, begin + 1, begin + 3)]
    assert starts == pytest.approx([0, 2], abs=0.01)
    assert index.covering("ffffffff", begin, begin + 6) == []
    index.close()


def test_a_segment_that_is_still_written_is_found_although_nobody_knows_its_end(tmp_path: Path) -> None:
    index = store(tmp_path, (), 1)
    name = SegmentName.of(START, FPS)
    index.opened(name)
    assert [s.name for s in index.covering(boot_of(START), START.monotonic_s + 99, START.monotonic_s + 100)] == [name]
    index.close()


def test_a_table_whose_file_went_away_is_made_again_in_its_place_although_it_fails_at_first(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    kept = told(index)
    for file in tmp_path.glob("index.sqlite*"):
        file.unlink()
    away = (tmp_path / "segments").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        index.settle()
    away.rename(tmp_path / "segments")
    index.settle()
    assert told(index) == kept
    index.close()


def test_what_a_dead_writer_left_is_settled_without_looking_at_the_rest(tmp_path: Path) -> None:
    index = store(tmp_path, film(2), FPS)
    first, second = index.segments()
    index.opened(second.name)
    (tmp_path / "segments" / "holiday.ts").write_bytes(b"x")
    first.path.unlink()
    index.settle()
    assert [(s.name, s.closed) for s in index.segments()] == [(first.name, True), (second.name, True)]
    assert index.segments()[1].end_s == pytest.approx(second.end_s)
    index.close()


def test_order_is_that_of_recording_even_when_the_wall_clock_went_back(tmp_path: Path) -> None:
    index = store(tmp_path, (), 1)
    before = SegmentName.of(START, FPS)
    after_step = SegmentName.of(
        replace(START, monotonic_s=START.monotonic_s + 10, wall=START.wall.replace(year=1970)), FPS
    )
    for name in (before, after_step):
        index.ended(name, name.start.monotonic_s + 10, 150, 1000)
    oldest = index.oldest()
    assert oldest is not None
    assert oldest.name == before
    index.close()
