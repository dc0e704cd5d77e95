"""A clip shows all of the wished time, says what is missing, and plays anywhere."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from agent.footage.show.clips import Clip, Gap, Wish, cut_clip
from agent.footage.store.segments import SegmentWriter, boot_of
from agent.footage.store.timeline import NoFootage, frames_between
from tests.footage.film import FPS, FRAME_S, START, clocks, film, store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.footage.store.index import FootageIndex
    from agent.hw.kit import Packet

BEGIN = START.monotonic_s


def cut(index: FootageIndex, folder: Path, start: float, end: float) -> Clip:
    """The clip between these seconds after `BEGIN`."""
    wish = Wish(BEGIN + start, BEGIN + end, START.later(start).wall)
    return cut_clip(frames_between(index, boot_of(START), wish.start_s, wish.end_s), wish, folder / "clip.mp4")


def frames_of_a_dying_disk() -> Iterator[Packet]:
    yield film(4)[0]
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.7, 3.3), (1.97, 2.03), (2.0, 4.0), (3.3, 7.9), (5.5, 5.5)])
def test_a_clip_shows_every_frame_from_before_its_start_to_after_its_end(
    tmp_path: Path, start: float, end: float
) -> None:
    index = store(tmp_path, film(8), 2 * FPS)
    clip = cut(index, tmp_path, start, end)
    index.close()
    shown = clocks(clip.path)
    assert shown[0].taken_ms / 1000 <= BEGIN + start
    assert shown[-1].taken_ms / 1000 >= BEGIN + end - 0.001
    assert [clock.number for clock in shown] == list(range(shown[0].number, shown[-1].number + 1))
    assert BEGIN + start - shown[0].taken_ms / 1000 < 1 + FRAME_S, "it begins at the last key frame, not earlier"
    assert (shown[0].taken_ms, shown[-1].taken_ms) == (int(clip.start_s * 1000 + 0.1), int(clip.end_s * 1000 + 0.1))
    assert clip.gaps == ()
    assert clip.frames == len(shown)


def test_a_clip_reaches_into_the_segment_that_is_still_written(tmp_path: Path) -> None:
    frames = film(4)
    index = store(tmp_path, frames[: 2 * FPS], 2 * FPS)
    writer = SegmentWriter(tmp_path / "segments", START.later(2), FPS)
    index.opened(writer.name)
    for frame in frames[2 * FPS : 3 * FPS]:
        writer.write(frame)
    clip = cut(index, tmp_path, 1, 2.5)
    writer.close()
    index.close()
    assert [clock.number for clock in clocks(clip.path)] == list(range(FPS, 2 * FPS + 9))


def test_a_clip_names_every_stretch_that_is_missing(tmp_path: Path) -> None:
    frames = film(8)
    stored = (*frames[FPS : 3 * FPS], *frames[5 * FPS : 7 * FPS])
    index = store(tmp_path, stored, 2 * FPS)
    clip = cut(index, tmp_path, 0, 8)
    index.close()
    gaps = [(gap.start_s - BEGIN, gap.end_s - BEGIN) for gap in clip.gaps]
    expected = [(0, 1), (3 - FRAME_S, 5), (7 - FRAME_S, 8)]
    assert [moment for gap in gaps for moment in gap] == pytest.approx([m for gap in expected for m in gap], abs=1e-3)
    assert all(isinstance(gap, Gap) for gap in clip.gaps)
    shown = clocks(clip.path)
    assert [clock.number for clock in shown] == [*range(FPS, 3 * FPS), *range(5 * FPS, 7 * FPS)]


def test_no_footage_gives_no_clip(tmp_path: Path) -> None:
    index = store(tmp_path, film(2), 2 * FPS)
    with pytest.raises(NoFootage):
        cut(index, tmp_path, 100, 110)
    index.close()
    assert not list(tmp_path.glob("*.mp4*"))


def test_a_failing_disk_leaves_the_earlier_clip_as_it_was(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    first = cut(index, tmp_path, 0, 1)
    index.close()
    with pytest.raises(OSError, match="Input/output"):
        cut_clip(frames_of_a_dying_disk(), Wish(BEGIN, BEGIN + 3, START.wall), first.path)
    assert hashlib.sha256(first.path.read_bytes()).hexdigest() == first.sha256
    assert [path.name for path in tmp_path.glob("*clip*")] + [path.name for path in tmp_path.glob(".*")] == ["clip.mp4"]


def test_the_header_of_a_clip_describes_its_own_stream_and_comes_first(tmp_path: Path) -> None:
    index = store(tmp_path, film(2), 2 * FPS)
    data = cut(index, tmp_path, 0, 1.5).path.read_bytes()
    index.close()
    key = film(2)[0].data
    sps = key[key.index(b"\x67") :].split(b"\0\0\0\1")[0]
    avcc = data[data.index(b"avcC") + 4 :]
    assert avcc[1:4] == sps[1:4], "profile, constraints and level"
    assert avcc[8 : 8 + len(sps)] == sps
    assert data.index(b"moov") < data.index(b"mdat")


def test_ffmpeg_plays_a_clip_without_a_complaint_and_knows_its_size_length_and_date(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    clip = cut(index, tmp_path, 1, 3)
    index.close()
    played = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", str(clip.path), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (played.returncode, played.stderr) == (0, "")
    entries = "stream=codec_name,width,height,nb_frames:format=duration:format_tags=creation_time"
    probe = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", str(clip.path)]
    told = json.loads(subprocess.run(probe, capture_output=True, check=True).stdout)
    assert told["streams"] == [{"codec_name": "h264", "width": 320, "height": 180, "nb_frames": "31"}]
    assert float(told["format"]["duration"]) == pytest.approx(31 * FRAME_S, abs=0.01)
    assert told["format"]["tags"]["creation_time"].startswith("2026-11-22T02:14:08")
    assert clip.sha256 == hashlib.sha256(clip.path.read_bytes()).hexdigest()
