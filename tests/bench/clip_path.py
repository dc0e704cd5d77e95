"""One clip cut out of stored segments, in a process to be measured: `... FOLDER SECONDS TARGET`.

It prints how many seconds the cutting took: a recorder that is up has no start to wait for.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

from agent.footage.show.clips import Wish, cut_clip
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import boot_of
from agent.footage.store.timeline import frames_between
from tests.bench.film import START

CLIP_AFTER_S = 63.4
"""Between two key frames, and in the middle of a segment."""


def cut(folder: Path, seconds: float, target: Path) -> None:
    """Cut a clip as an incident's is cut, with its checksum and safe on the disk."""
    start_s = START.monotonic_s + CLIP_AFTER_S
    with closing(FootageIndex(folder / "index.sqlite", folder / "segments")) as index:
        frames = frames_between(index, boot_of(START), start_s, start_s + seconds)
        cut_clip(frames, Wish(start_s, start_s + seconds, START.later(CLIP_AFTER_S).wall), target)


if __name__ == "__main__":
    began_s = time.perf_counter()
    cut(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
    print(time.perf_counter() - began_s)  # noqa: T201 - what the bench reads
