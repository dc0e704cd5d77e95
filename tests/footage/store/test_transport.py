"""The stored form of footage: what was written is read again, and what is torn is never shown."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.footage.store import transport
from agent.footage.store.transport import (
    CELL_BYTES,
    NULL_CELL,
    TICKS_A_SECOND,
    WRAP_TICKS,
    FrameMuxer,
    read_frames,
    unwrap,
)
from tests.footage.film import FPS, FRAME_S, START, film

if TYPE_CHECKING:
    from agent.hw.kit import Packet

AUD = b"\0\0\0\1\x09\xf0"
"""The access unit delimiter that FFmpeg's muxer puts before each frame."""


def muxed(frames: tuple[Packet, ...]) -> list[bytes]:
    muxer = FrameMuxer()
    data = [muxer.mux(frame) for frame in frames]
    muxer.close()
    return data


def read(data: bytes, near_s: float = START.monotonic_s) -> list[Packet]:
    return list(read_frames(io.BytesIO(data), near_s, FRAME_S))


def test_every_frame_comes_back_with_its_bytes_its_moment_and_its_kind() -> None:
    frames = film(3)
    again = read(b"".join(muxed(frames)))
    assert [frame.data for frame in again] == [AUD + frame.data for frame in frames]
    assert [frame.keyframe for frame in again] == [frame.keyframe for frame in frames]
    assert [frame.taken_s for frame in again] == pytest.approx([frame.taken_s for frame in frames], abs=1e-5)


def test_ffmpeg_reads_the_same_frames() -> None:
    data = b"".join(muxed(film(3)))
    with av.open(io.BytesIO(data), "r", format="mpegts") as container:
        theirs = [(bytes(packet), packet.is_keyframe, packet.pts) for packet in container.demux() if packet.size]
    assert theirs == [(frame.data, frame.keyframe, round(frame.taken_s * TICKS_A_SECOND)) for frame in read(data)]


def test_a_segment_across_the_wrap_of_its_timestamps_keeps_its_time() -> None:
    wrap_s = WRAP_TICKS / TICKS_A_SECOND
    frames = film(2, wrap_s - 1)
    again = read(b"".join(muxed(frames)), frames[0].taken_s)
    assert [frame.taken_s for frame in again] == pytest.approx([frame.taken_s for frame in frames], abs=1e-5)
    assert again[0].taken_s < wrap_s < again[-1].taken_s


@given(st.integers(0, 10**13), st.floats(-40_000, 40_000))
def test_a_timestamp_is_told_by_any_moment_within_11_hours(ticks: int, off_s: float) -> None:
    assert unwrap(ticks % WRAP_TICKS, ticks / TICKS_A_SECOND + off_s) == ticks


def test_footage_cut_at_any_byte_gives_every_frame_before_the_cut() -> None:
    frames = film(3)
    pieces = muxed(frames)
    data = b"".join(pieces)
    ends = [sum(map(len, pieces[: n + 1])) - len(NULL_CELL) for n in range(len(pieces))]
    dice = random.Random(7)
    for cut in [0, 1, 187, 188, len(data) - 1, *(dice.randrange(len(data)) for _ in range(50))]:
        surely_whole = sum(end + len(NULL_CELL) <= cut for end in ends)
        again = read(data[:cut])
        assert len(again) == surely_whole
        assert [frame.data for frame in again] == [AUD + frame.data for frame in frames[:surely_whole]]


def test_after_a_destroyed_block_nothing_is_shown_before_the_next_key_frame() -> None:
    frames = film(3)
    pieces = muxed(frames)
    hit = sum(map(len, pieces[:20])) + 10
    data = bytearray(b"".join(pieces))
    data[hit : hit + 500] = bytes(500)
    again = read(bytes(data))
    survivors = [*frames[:20], *frames[2 * FPS :]]
    assert [frame.data for frame in again] == [AUD + frame.data for frame in survivors]


def test_a_cell_missing_within_a_frame_takes_it_and_all_up_to_the_next_key_frame() -> None:
    frames = film(3)
    pieces = muxed(frames)
    data = b"".join(pieces)
    last = len(pieces[20]) // CELL_BYTES - 2
    assert last >= 2
    for lost in range(last):  # that the very last one is missing shows only with the frame after it
        at = sum(map(len, pieces[:20])) + lost * CELL_BYTES
        again = read(data[:at] + data[at + CELL_BYTES :])
        survivors = [*frames[:20], *frames[2 * FPS :]]
        assert [frame.data for frame in again] == [AUD + frame.data for frame in survivors], f"cell {lost}"


@pytest.mark.parametrize("cells", [1, 2, 7])
def test_frames_are_the_same_however_little_is_read_at_a_time(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(muxed(film(2)))
    as_one = read(data)
    monkeypatch.setattr(transport, "READ_CELLS", cells)
    assert read(data) == as_one


@given(st.binary(max_size=4000))
def test_rubbish_is_no_footage_and_no_error(rubbish: bytes) -> None:
    assert read(rubbish) == []
