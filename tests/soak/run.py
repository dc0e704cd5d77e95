"""One camera's soak: records for its time, checks each segment as it closes, looks at the memory, judges at the end."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av

from agent.config.filming import CameraSettings, FootageSettings
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.footage.store.segments import GAP_FRAMES, SegmentName
from tests.bench.processes import pss_mb, rss_mb
from tests.soak.continuity import Continuity, shots
from tests.soak.memory import Memory
from tests.soak.recorder_process import RecorderProcess

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_EVERY_S = 1.0
MEMORY_EVERY_S = 5.0
PROGRESS_EVERY_S = 60.0
WARM_UP_S = 180.0
"""Encoder, allocator and SQLite take what they need within the first segments; on a short run a third of it."""
GROWTH_MB = 2.0
"""What memory may grow by from the end of the warm-up to the end of the run, however long that is. SQLite's page cache
may fill up to its own bound of 2000 KiB; nothing else has a reason to. Over half an hour this is 4 MB an hour, which is
what one lost packet of 8 kB a segment would come to; over a day it is 0.09 MB an hour."""
MOST_LATE = 0.01
"""A machine that is late with more frames than this cannot film at this rate: then the run proves nothing."""


@dataclass(frozen=True)
class Subject:
    """A camera to soak."""

    name: str
    module: str
    """Runs the recorder over it: see `tests.soak.synthetic`."""
    clocked: bool
    """Its pictures carry a frame clock."""
    fps: int = 25


def config(folder: Path, fps: int) -> Config:
    """The product's own settings, at the rate of the soak; old footage goes when half an hour of it is there."""
    return Config(
        profile="safe-point",
        unit=UnitSettings(id="soak-1", org="town", name="Soak", location="Bench"),
        uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
        camera=CameraSettings(enabled=True, width_px=1280, height_px=720, fps=fps, bitrate_kbps=2000),
        footage=FootageSettings(rolling_max_mb=500),
        state_folder=folder,
    )


class Soak:
    """One run."""

    def __init__(self, subject: Subject, folder: Path, say: Callable[[str], None]) -> None:
        self._subject = subject
        self._config = config(folder, subject.fps)
        self._say = say
        self._found = Continuity(1 / subject.fps)
        self._checked_s = 0.0
        """When the last checked segment began."""
        self._rss, self._pss = Memory(), Memory()
        self._began_s = 0.0
        self._encoded = 0

    def run(self, seconds: float) -> bool:
        """Record for so long; says a line of JSON at the end and returns whether all held."""
        self._began_s = time.monotonic()
        with RecorderProcess(self._subject.module, self._config) as recorder:
            self._watch(recorder, seconds)
            try:
                self._encoded = recorder.end()
            except RuntimeError as error:
                self._found.violations.append(str(error))
        self._check_segments(growing=0)
        self._judge(recorder)
        self._say(json.dumps(self._summary(recorder, time.monotonic() - self._began_s)))
        return not self._found.violations

    def _watch(self, recorder: RecorderProcess, seconds: float) -> None:
        warm_s = min(WARM_UP_S, seconds / 3)
        memory_s = progress_s = 0.0
        while recorder.runs and (now_s := time.monotonic() - self._began_s) < seconds:
            self._check_segments(growing=1)
            if now_s >= max(memory_s, warm_s):
                self._rss.look(now_s, rss_mb(recorder.pid))
                self._pss.look(now_s, pss_mb(recorder.pid))
                memory_s = now_s + MEMORY_EVERY_S
            if now_s >= progress_s:
                self._say(self._progress(recorder, now_s))
                progress_s += PROGRESS_EVERY_S
            time.sleep(LOOK_EVERY_S)

    def _check_segments(self, growing: int) -> None:
        """Check what was closed since the last time; the newest `growing` are still being written."""
        files = {SegmentName.parse(path.name).start.monotonic_s: path for path in self._segments()}
        for start_s in sorted(files)[: len(files) - growing]:
            if start_s <= self._checked_s:
                continue
            path, self._checked_s = files[start_s], start_s
            try:
                self._found.add_segment(path.name, shots(path, clocked=self._subject.clocked))
            except (OSError, ValueError, av.FFmpegError) as error:
                self._found.violations.append(f"{path.name}: {error}")

    def _segments(self) -> list[Path]:
        return list((self._config.footage_folder / "segments").glob("*.ts"))

    def _judge(self, recorder: RecorderProcess) -> None:
        found = self._found
        if not self._encoded == found.stored == recorder.safe:
            found.violations.append(
                f"{self._encoded} frames were encoded, {found.stored} are stored, {recorder.safe} were told to be safe"
            )
        if recorder.lost != found.missing:
            found.violations.append(f"{recorder.lost} frames were told to be lost, the files miss {found.missing}")
        if found.longest_join_s > max(GAP_FRAMES * found.frame_s, found.longest_step_s):
            found.violations.append(f"a segment begins {found.longest_join_s:.4f} s after the one before ended")
        if found.late > MOST_LATE * found.stored:
            found.violations.append(f"{found.late} frames came late: this machine cannot film at this rate")
        if self._rss.grown_mb > GROWTH_MB:
            found.violations.append(f"memory grew by {self._rss.grown_mb:.1f} MB")
        found.violations += recorder.troubles

    def _progress(self, recorder: RecorderProcess, now_s: float) -> str:
        found = self._found
        return (
            f"{self._subject.name}: {now_s / 60:.0f} min, {recorder.safe} frames safe, {recorder.lost} lost, "
            f"{found.stored} checked in {found.segments} segments, {found.late} late, {rss_mb(recorder.pid):.1f} MB, "
            f"{len(found.violations)} violations, {len(recorder.troubles)} troubles"
        )

    def _summary(self, recorder: RecorderProcess, seconds: float) -> dict[str, object]:
        found = self._found
        return {
            "camera": self._subject.name,
            "held": not found.violations,
            "minutes": round(seconds / 60, 1),
            "frames_encoded": self._encoded,
            "frames_stored": found.stored,
            "frames_told_safe": recorder.safe,
            "frames_told_lost": recorder.lost,
            "frames_late": found.late,
            "segments": found.segments,
            "frame_ms": round(found.frame_s * 1000, 1),
            "longest_join_ms": round(found.longest_join_s * 1000, 1),
            "longest_step_ms": round(found.longest_step_s * 1000, 1),
            "rss_first_mb": round(self._rss.samples[0][1], 2) if self._rss.samples else None,
            "rss_last_mb": round(self._rss.samples[-1][1], 2) if self._rss.samples else None,
            "rss_slope_mb_h": round(self._rss.slope_mb_h, 2),
            "pss_slope_mb_h": round(self._pss.slope_mb_h, 2),
            "violations": found.violations,
        }


def soak(subject: Subject, seconds: float, say: Callable[[str], None]) -> bool:
    """Soak one camera in a folder of its own; returns whether all held."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        return Soak(subject, Path(name), say).run(seconds)
