"""What footage there is, for somebody beside the recorder: reads, and never changes, repairs or locks anything.

The names in the folder say what is there; the recorder's table only adds what would cost a look into each file. So a
table that is missing, broken or busy costs exactness about ends, and nothing else.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from operator import attrgetter
from typing import TYPE_CHECKING
from urllib.parse import quote

from agent.clock import ClockQuality
from agent.footage.find.chronology import Filmed
from agent.footage.store.index import last_moment
from agent.footage.store.segments import NAME_PATTERN, SegmentName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 2.0
"""How long to wait for a table that is being repaired: readers wait for nothing else in WAL mode."""
QUALITIES = {str(quality): quality for quality in ClockQuality}
SLACK_S = 1.5
"""A segment ends with the key frame after its time, and these come each second."""


@dataclass(frozen=True)
class Library:
    """What was found."""

    folder: Path
    """Where the segments lie."""
    filmed: list[Filmed]
    index_lost: str | None
    """Why the table could not be used; ends are then as good as the names are."""

    def path(self, segment: Filmed) -> Path:
        """The segment's file."""
        return self.folder / segment.name


def read_library(footage: Path, segment_s: float) -> Library:
    """Look at the footage below this folder; the segment that is being written counts as far as it goes.

    Args:
        footage: The footage folder.
        segment_s: How long segments usually are; only matters when there is no table.

    Raises:
        OSError: the folder cannot be read.
    """
    folder = footage / "segments"
    rows: dict[str, tuple[float, int]] = {}
    index_lost = None
    try:
        rows = _rows(footage / "index.sqlite")
    except sqlite3.Error as error:
        index_lost = str(error)
    # The folder after the table: a segment that ends in between has a row too few, never a row too many.
    boots: dict[str, list[Filmed]] = defaultdict(list)
    for segment in _named(folder, rows):
        boots[segment.boot].append(segment)
    filmed: list[Filmed] = []
    for segments in boots.values():
        segments.sort(key=attrgetter("start_s"))
        for named, later in zip_longest(segments, segments[1:]):
            whole = named if named.size_bytes else _looked_at(folder, named, later, segment_s)
            if whole is not None:
                filmed.append(whole)
    return Library(folder, filmed, index_lost)


def _rows(database: Path) -> dict[str, tuple[float, int]]:
    """End and size of the complete segments that the table knows."""
    with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=PATIENCE_S)) as db:
        rows = db.execute("SELECT name, end_s, bytes FROM segment WHERE closed").fetchall()
    return {name: (end_s, size_bytes) for name, end_s, size_bytes in rows}


def _named(folder: Path, rows: dict[str, tuple[float, int]]) -> Iterator[Filmed]:
    """The segments, by their names; those without a row have no size and no end yet."""
    for name in os.listdir(folder):  # noqa: PTH208 - a Path for each of 268,000 files costs a second
        found = NAME_PATTERN.fullmatch(name)
        if found is None:
            continue  # a stray file: the recorder's log says so
        wall, milli, boot, mono, quality, fps = found.groups()
        # `SegmentName.parse` says the same in four times the time: 5 s for 31 days on a quick machine.
        try:
            wall_s = datetime.fromisoformat(f"{wall}Z").timestamp() + int(milli) / 1000
        except ValueError:
            continue  # a date that is in no calendar
        start_s = int(mono) / 1000
        end_s, size_bytes = rows.get(name) or (start_s, 0)
        yield Filmed(name, boot, QUALITIES[quality], wall_s, start_s, 1 / int(fps), end_s, size_bytes)


def _looked_at(folder: Path, segment: Filmed, later: Filmed | None, segment_s: float) -> Filmed | None:
    """A segment that the table does not know; None when it is gone, or holds no whole frame."""
    path = folder / segment.name
    try:
        size_bytes = path.stat().st_size
        if later is not None and later.start_s - segment.start_s < segment_s + SLACK_S:
            # As long as usual: nothing is missing between the two, as far as names can tell.
            return segment._replace(end_s=later.start_s - segment.frame_s, size_bytes=size_bytes)
        end_s = last_moment(path, SegmentName.parse(segment.name))
    except FileNotFoundError:
        return None
    return None if end_s is None else segment._replace(end_s=end_s, size_bytes=size_bytes)
