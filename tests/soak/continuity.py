"""Whether stored footage is all that was filmed: reads segment after segment and compares it with what pictures say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np

from agent.footage.store.segments import GAP_FRAMES, SegmentName
from agent.footage.store.transport import TICKS_A_SECOND, unwrap
from fakes.frame_clock import read_frame_clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOCK_TOLERANCE_S = 0.002
"""A picture's own clock counts whole milliseconds, a timestamp 90,000ths of a second: together under 2 ms."""


@dataclass(frozen=True)
class Shot:
    """One stored frame."""

    taken_s: float
    """As its timestamp says."""
    number: int | None
    """As its picture says, where the camera draws a clock."""
    drawn_s: float | None


def shots(path: Path, *, clocked: bool) -> Iterator[Shot]:
    """Decode a segment with FFmpeg's own demuxer, not with ours; any decoding error is raised."""
    near_s = SegmentName.parse(path.name).start.monotonic_s
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        stream.codec_context.thread_count = 1
        for picture in container.decode(stream):
            assert picture.pts is not None
            assert picture.time_base is not None
            taken_s = unwrap(round(picture.pts * picture.time_base * TICKS_A_SECOND), near_s) / TICKS_A_SECOND
            if clocked:
                clock = read_frame_clock(picture.to_ndarray()[: picture.height].astype(np.uint8))
                yield Shot(taken_s, clock.number, clock.taken_ms / 1000)
            else:
                yield Shot(taken_s, None, None)


@dataclass
class Continuity:
    """What was found so far. Frames are told apart by their pictures, gaps by their timestamps."""

    frame_s: float
    stored: int = 0
    segments: int = 0
    late: int = 0
    """Frames that came so late after the one before that another would have fitted between, and none is missing: the
    machine was too busy to film. A camera's sensor is never late."""
    missing: int = 0
    """Frames that would have fitted into the gaps, counted as the recorder counts what it tells as lost."""
    longest_step_s: float = 0.0
    """Between two frames of one segment."""
    longest_join_s: float = 0.0
    """From the last frame of a segment to the first of the next."""
    violations: list[str] = field(default_factory=list)
    _last: Shot | None = None

    def add_segment(self, name: str, frames: Iterator[Shot]) -> None:
        """The next segment in order of time."""
        self.segments += 1
        for place, shot in enumerate(frames):
            self._add(name, shot, join=place == 0)

    def _add(self, name: str, shot: Shot, *, join: bool) -> None:
        self.stored += 1
        last, self._last = self._last, shot
        if shot.drawn_s is not None and abs(shot.taken_s - shot.drawn_s) > CLOCK_TOLERANCE_S:
            self.violations.append(f"{name}: a frame is stored as of {shot.taken_s:.4f} s and shows {shot.drawn_s} s")
        if last is None:
            if shot.number:
                self.violations.append(f"{name}: footage begins with frame {shot.number}")
            return
        step_s = shot.taken_s - last.taken_s
        if join:
            self.longest_join_s = max(self.longest_join_s, step_s)
        else:
            self.longest_step_s = max(self.longest_step_s, step_s)
        gap = step_s > GAP_FRAMES * self.frame_s
        if gap:
            self.missing += round(step_s / self.frame_s) - 1
        if shot.number is not None and last.number is not None and shot.number != last.number + 1:
            self.violations.append(f"{name}: frame {shot.number} follows frame {last.number}")
        elif step_s <= 0:
            self.violations.append(f"{name}: time goes back by {-step_s:.4f} s")
        elif gap and shot.number is None:
            self.violations.append(f"{name}: {step_s:.4f} s without a frame")
        elif gap:
            self.late += 1
