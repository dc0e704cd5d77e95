"""The stored frames of one boot as one line of time, over all segments and into the one still being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from agent.footage.store.transport import read_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from agent.footage.store.index import FootageIndex
    from agent.footage.store.segments import SegmentName
    from agent.hw.kit import Packet

log = structlog.get_logger()

MARGIN_S = 1.0
"""Segments that end or begin this near are looked into too: the wished moment may fall between two of them."""


class NoFootage(Exception):
    """No frame of the wished time is stored: it was never taken, lost, or has been removed as the oldest."""


def frames_between(index: FootageIndex, boot: str, start_s: float, end_s: float) -> Iterator[Packet]:
    """The frames from the key frame at or before `start_s` to the first frame at or after `end_s`, as far as stored.

    Only what is on the disk is read. Nothing at all comes when no frame lies after `start_s`.
    """
    segments = index.covering(boot, start_s - MARGIN_S, end_s + MARGIN_S)
    return frames_of(
        ((segment.path, segment.name) for segment in segments),
        start_s,
        end_s,
        gone=lambda path: log.warning("segment_gone_while_cutting", name=path.name),
    )


def frames_of(
    segments: Iterable[tuple[Path, SegmentName]], start_s: float, end_s: float, gone: Callable[[Path], None]
) -> Iterator[Packet]:
    """Yield the same frames out of these segments of one boot, which come in order.

    Args:
        segments: Those that may hold any of it.
        start_s: Where to begin, on CLOCK_MONOTONIC.
        end_s: Where to end.
        gone: Hears of each that was removed before it could be opened.
    """
    lead: list[Packet] | None = []
    for path, name in segments:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            gone(path)
            continue
        with file:
            for frame in read_frames(file, name.start.monotonic_s, name.frame_s):
                if lead is not None:
                    if frame.keyframe and frame.taken_s <= start_s:
                        lead.clear()
                    if frame.taken_s < start_s:
                        lead.append(frame)
                        continue
                    yield from lead
                    lead = None
                yield frame
                if frame.taken_s >= end_s:
                    return
