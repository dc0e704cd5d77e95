"""Debian's `motion` over the same pictures, set up as well as we could (man page and motion_config.html of 4.5.1)."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tests.bench.film import SETTINGS

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

END_LIMIT_S = 20
DONE = ".done"
"""Beside a movie: made by motion itself when it has closed the movie."""
CONFIG = """
daemon off
setup_mode off
log_file {folder}/motion.log
log_level 6
target_dir {folder}
netcam_url {url}
width {width}
height {height}
framerate {fps}
webcontrol_port 0
stream_port 0
mask_file {folder}/mask.pgm
threshold 1500
despeckle_filter EedDl
minimum_motion_frames 1
pre_capture {pre_frames}
post_capture {post_frames}
event_gap 1
picture_output off
movie_output on
movie_codec mp4
movie_quality 0
movie_bps {bitrate}
movie_max_time 0
movie_passthrough {passthrough}
movie_filename %v
on_movie_end touch %f{done}
"""
"""No stills, no web pages, no text in the picture: only what a clip needs. The mask hides caption and frame clock from
the detection, which would otherwise see motion in every picture. `event_gap` is the least there is, since post_capture
alone keeps the time after the event: motion writes nothing during the gap. Tried and no better: `capture_rate` 15, 16
and 30, `framerate` of 16 to 30, mkv, `movie_quality` 60. Its own reader (`mjpg://`) refuses our stream's headers."""


@dataclass(frozen=True)
class Times:
    """Of an event, before and after."""

    pre_event_s: float
    post_event_s: float


class MotionDaemon:
    """One motion process."""

    def __init__(self, folder: Path, url: str, times: Times, *, passthrough: bool) -> None:
        folder.mkdir()
        self.folder = folder
        _write_mask(folder / "mask.pgm")
        settings = CONFIG.format(
            folder=folder,
            url=url,
            width=SETTINGS.width_px,
            height=SETTINGS.height_px,
            fps=SETTINGS.fps,
            pre_frames=round(times.pre_event_s * SETTINGS.fps),
            post_frames=round(times.post_event_s * SETTINGS.fps),
            bitrate=SETTINGS.bitrate_kbps * 1000,
            passthrough="on" if passthrough else "off",
            done=DONE,
        )
        (folder / "motion.conf").write_text(settings, encoding="ascii")
        self._process = subprocess.Popen(
            ["motion", "-n", "-c", folder / "motion.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def pid(self) -> int:
        """Whose CPU time is measured."""
        return self._process.pid

    def movies(self) -> list[Path]:
        """What it has finished."""
        return sorted(path.with_name(path.name.removesuffix(DONE)) for path in self.folder.glob(f"*{DONE}"))

    def finished_s(self, movie: Path) -> float:
        """When it said that a movie is finished, on CLOCK_MONOTONIC."""
        age_s = time.time() - movie.with_name(movie.name + DONE).stat().st_mtime
        return time.monotonic() - age_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _write_mask(path: Path) -> None:
    """White is looked at: all but the caption above and the frame clock below."""
    width, height = SETTINGS.width_px, SETTINGS.height_px
    mask = np.full((height, width), 255, np.uint8)
    mask[: height // 10] = mask[-height // 10 :] = 0
    path.write_bytes(b"P5\n%d %d\n255\n" % (width, height) + mask.tobytes())
