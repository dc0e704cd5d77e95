"""Our write path alone, in a process to be measured: `... FILM FOLDER SYNC_S`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from agent.config.filming import FootageSettings
from agent.footage.keep.retention import Retention
from agent.footage.keep.space import Space
from agent.footage.record.recording import Pace, Recording
from agent.footage.store.index import FootageIndex
from agent.footage.store.volume import Volume
from tests.bench.film import SETTINGS, StoppedClock, read


def write(film: Path, folder: Path, sync_s: float) -> None:
    """Store a film as segments, indexed and synced as a unit does, as fast as it goes."""
    segments = folder / "segments"
    segments.mkdir(parents=True)
    footage, clock = FootageSettings(), StoppedClock()
    with closing(FootageIndex(folder / "index.sqlite", segments)) as index:
        recording = Recording(
            segments,
            index,
            Space(Volume(folder), index, Retention.of(footage), clock=clock, tell=lambda _event: None),
            clock=clock,
            pace=Pace(SETTINGS.bitrate_kbps, footage.segment_s, sync_s),
            tell=lambda _event: None,
            on_disk=lambda _moment_s: None,
        )
        for frame in read(film):
            recording.write(frame)
        recording.pause()


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
