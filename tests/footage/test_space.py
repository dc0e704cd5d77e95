"""Room for the next segment: the oldest rolling footage goes first, and nothing else ever goes."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from agent.footage.space import Space
from tests.footage.film import FPS, film, store

if TYPE_CHECKING:
    from pathlib import Path

    from agent.footage.index import FootageIndex

PLENTY = 10**9


def names(index: FootageIndex) -> list[str]:
    return [str(segment.name) for segment in index.segments()]


def test_the_oldest_segments_go_when_all_together_would_hold_too_much(tmp_path: Path) -> None:
    index = store(tmp_path, film(8), 2 * FPS)
    kept = names(index)[2:]
    room_for_two = sum(segment.size_bytes for segment in index.segments()[2:])
    Space(tmp_path, index, room_for_two + 1000).make_room(1000)
    assert names(index) == kept == sorted(path.name for path in (tmp_path / "segments").iterdir())
    index.close()


def test_the_oldest_segments_go_until_the_reserve_is_free_again(tmp_path: Path) -> None:
    index = store(tmp_path, film(8), 2 * FPS)
    (first, second, *kept) = index.segments()
    disk_bytes = PLENTY + sum(segment.size_bytes for segment in index.segments())

    def free(folder: Path) -> int:
        return disk_bytes - sum(path.stat().st_size for path in (folder / "segments").iterdir())

    needed = first.size_bytes + second.size_bytes
    Space(tmp_path, index, PLENTY, reserve_bytes=PLENTY, free=free).make_room(needed)
    assert index.segments() == kept
    index.close()


def test_clips_and_stills_stay_even_on_a_full_disk(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    clip = tmp_path / "incidents" / "a" / "clip.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"evidence")
    with pytest.raises(OSError, match="no rolling footage is left") as full:
        Space(tmp_path, index, PLENTY, free=lambda _: 0).make_room(1000)
    assert full.value.errno == errno.ENOSPC
    assert clip.read_bytes() == b"evidence"
    assert index.segments() == []
    index.close()


def test_nothing_goes_while_there_is_room(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    before = names(index)
    Space(tmp_path, index, PLENTY, free=lambda _: PLENTY).make_room(1000)
    assert names(index) == before
    index.close()
