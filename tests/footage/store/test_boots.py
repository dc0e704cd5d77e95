"""Footage that was recorded first goes first, also after the table was lost and whatever the clocks had said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.footage.store.boots import BootOrder
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentName, SegmentWriter
from tests.footage.film import FPS, START, film

if TYPE_CHECKING:
    from pathlib import Path

    from agent.clock import Moment


def boot(digit: str, year: int, quality: ClockQuality = ClockQuality.SYNCED) -> Moment:
    return replace(START, boot_id=digit * 8, wall=START.wall.replace(year=year), quality=quality)


def test_the_order_of_recording_outlives_the_table(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    index = FootageIndex(tmp_path / "index.sqlite", tmp_path / "segments")
    recorded = []
    for start in (boot("b", 2026), boot("a", 2020, ClockQuality.UNSYNCED), boot("c", 2026), boot("0", 2024)):
        writer = SegmentWriter(tmp_path / "segments", start, FPS)
        index.opened(writer.name)
        writer.write(film(1)[0])
        writer.close()
        index.ended(writer.name, writer.end_s, 1, writer.size_bytes)
        recorded.append(writer.name)
    index.close()
    for file in tmp_path.glob("index.sqlite*"):
        file.unlink()
    index = FootageIndex(tmp_path / "index.sqlite", tmp_path / "segments")
    assert [segment.name for segment in index.segments()] == recorded
    assert [span.boot for span in index.spans()] == ["bbbbbbbb", "aaaaaaaa", "cccccccc", "00000000"]
    assert [span.synced_from_s is None for span in index.spans()] == [False, True, False, False]
    index.close()


def test_a_line_that_a_power_cut_left_half_written_says_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    (tmp_path / "boots").write_bytes(b"\nbbbbbbbb\n\naaa")
    order = BootOrder(tmp_path / "boots")
    order.read()
    order.note("cccccccc")
    order.note("cccccccc")
    again = BootOrder(tmp_path / "boots")
    again.read()
    starts = [boot("c", 2020), boot("b", 2026), boot("d", 2030), replace(boot("d", 2019), monotonic_s=9999.0)]
    names = [SegmentName.of(start, FPS) for start in starts]
    assert again.sort(names) == [names[2], names[3], names[1], names[0]], "boots that were not noted come first"
    assert (tmp_path / "boots").read_bytes().count(b"cccccccc") == 1
