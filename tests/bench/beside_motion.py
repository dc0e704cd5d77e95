"""The whole recorder beside Debian's `motion`: the same pictures at the same time, from the same network camera.

Compared: CPU time of the processes; what of the event is in the clip, by the frame clock in its pictures; when the clip
is there. Not compared: detection. Motion finds the person itself, ours is told (on a unit by a PIR, a button or a
voice). And motion only stores the event, while ours stores everything, with a sync each second.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from agent.config.filming import CameraSettings, FootageSettings
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.helpers.messages import MediaMade, Settings, Working
from fakes.frame_clock import read_frame_clock
from tests.bench.figures import Row
from tests.bench.film import FRAME_S, SETTINGS
from tests.bench.mjpeg_street import MjpegStreet, Story, draw
from tests.bench.motion_daemon import MotionDaemon, Times
from tests.bench.processes import cpu_s
from tests.footage.daemon_end import DaemonEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMES = Times(pre_event_s=10, post_event_s=30)
"""The product's defaults."""
STORY = Story.of(quiet_s=45, event_s=8, after_s=40)
QUIET_S = 15.0, 44.0
"""Where CPU time is measured before the event: both are up, and motion has learned its noise."""
FINISH_LIMIT_S = 60
"""For a clip after the last picture; only one that is never made takes so long."""
POLL_S = 0.05
ALERT = "bench-1"
OURS, ENCODING, PASSTHROUGH = "ours", "motion", "motion-passthrough"


@dataclass(frozen=True)
class Result:
    """What one recorder made of the event."""

    quiet_cpu_s: float
    """A minute, before the event."""
    event_cpu_s: float
    """A minute, from the trigger to the end of the post-event time."""
    numbers: tuple[int, ...]
    """Of the pictures in its clip."""
    ready_s: float
    """After the last moment that the clip has to show."""
    size_bytes: int


@contextmanager
def our_recorder(folder: Path, url: str) -> Iterator[tuple[DaemonEnd, int]]:
    """The production recorder in its own process, and its pid."""
    config = Config(
        profile="safe-point",
        unit=UnitSettings(id="sp-1", org="town", name="Safe Point", location="Central Walk"),
        uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
        camera=CameraSettings(**{**SETTINGS.model_dump(), "enabled": True}),
        footage=FootageSettings(pre_event_s=TIMES.pre_event_s, post_event_s=TIMES.post_event_s),
        state_folder=folder,
    )
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.mjpeg_camera", str(theirs.fileno()), url], pass_fds=[theirs.fileno()]
        )
    daemon = DaemonEnd(ours)
    try:
        daemon.ask(Settings(config.model_dump_json()))
        yield daemon, process.pid
    finally:
        daemon.close()
        try:
            process.wait(FINISH_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(folder: Path) -> dict[str, Result]:
    """Let all three see the event."""
    last_wanted = STORY.leaves + round(TIMES.post_event_s / FRAME_S)
    with ExitStack() as stack:
        street = stack.enter_context(MjpegStreet(draw(STORY)))
        street.begin()
        daemon, our_pid = stack.enter_context(our_recorder(folder / OURS, street.url))
        motions = {
            name: stack.enter_context(MotionDaemon(folder / name, street.url, TIMES, passthrough=passthrough))
            for name, passthrough in ((ENCODING, False), (PASSTHROUGH, True))
        }
        pids = {OURS: our_pid} | {name: motion.pid for name, motion in motions.items()}
        daemon.hears(Working)
        quiet = [_cpu_s(street, pids, round(at_s / FRAME_S)) for at_s in QUIET_S]
        entered_s = street.wait_for(STORY.enters)
        begin_s = entered_s - TIMES.pre_event_s
        daemon.still(ALERT, entered_s)
        daemon.clip(ALERT, begin_s, entered_s + TIMES.post_event_s)
        event = [_cpu_s(street, pids, STORY.enters)]
        left_s = street.wait_for(STORY.leaves)
        due_s = left_s + TIMES.post_event_s
        daemon.clip(ALERT, begin_s, due_s)  # as the incident grows, so does its clip
        event.append(_cpu_s(street, pids, last_wanted))
        clips = {OURS: _our_clip(daemon)} | {name: _motion_clip(motion) for name, motion in motions.items()}
        return {
            name: Result(
                _a_minute(quiet, name, QUIET_S[1] - QUIET_S[0]),
                _a_minute(event, name, (last_wanted - STORY.enters) * FRAME_S),
                _numbers(clips[name].path),
                clips[name].ready_s - due_s,
                clips[name].path.stat().st_size,
            )
            for name in pids
        }


def _cpu_s(street: MjpegStreet, pids: Mapping[str, int], number: int) -> dict[str, float]:
    """What each process has used when this picture is there."""
    street.wait_for(number)
    return {name: cpu_s(pid) for name, pid in pids.items()}


def _a_minute(readings: list[dict[str, float]], name: str, span_s: float) -> float:
    first, last = readings
    return (last[name] - first[name]) * 60 / span_s


@dataclass(frozen=True)
class _Clip:
    path: Path
    ready_s: float


def _our_clip(daemon: DaemonEnd) -> _Clip:
    made = daemon.hears(MediaMade, lambda event: event.media == "clip")
    return _Clip(Path(made.path), time.monotonic())


def _motion_clip(motion: MotionDaemon) -> _Clip:
    """The longest movie: a start may have made a short one of its own."""
    deadline_s = time.monotonic() + FINISH_LIMIT_S
    while not (movies := motion.movies()):
        if time.monotonic() > deadline_s:
            msg = f"motion finished no movie; its log: {(motion.folder / 'motion.log').read_text()[-2000:]}"
            raise RuntimeError(msg)
        time.sleep(POLL_S)
    movie = max(movies, key=lambda path: path.stat().st_size)
    return _Clip(movie, motion.finished_s(movie))


def _numbers(path: Path) -> tuple[int, ...]:
    """Of the pictures in a clip, in order."""
    with av.open(str(path)) as container:
        return tuple(
            read_frame_clock(picture.to_ndarray()[: picture.height].astype(np.uint8)).number
            for picture in container.decode(video=0)
        )


def rows(results: Mapping[str, Result]) -> list[Row]:
    """One row a question, the three answers side by side."""

    def row(what: str, answer: Callable[[Result], str], aim: str = "") -> Row:
        return Row(what, " | ".join(answer(result) for result in results.values()), aim)

    pre, post = round(TIMES.pre_event_s / FRAME_S), round(TIMES.post_event_s / FRAME_S)
    wanted = range(STORY.enters - pre, STORY.leaves + post)
    return [
        Row("the whole recorder beside Debian's motion 4.5, 1280x720 at 15", " | ".join(results)),
        row("CPU a minute, nobody there: ours stores, motion waits", lambda r: f"{r.quiet_cpu_s:.1f} s"),
        row("CPU a minute, event and 30 s after: all of them store", lambda r: f"{r.event_cpu_s:.1f} s", "<= motion"),
        row(
            "first picture of the clip, after trigger - 10 s",
            lambda r: f"{(min(r.numbers) - wanted.start) * FRAME_S:+.2f} s",
            "-1 to 0 s",
        ),
        row(
            "last picture of the clip, after end + 30 s",
            lambda r: f"{(max(r.numbers) - wanted.stop) * FRAME_S:+.2f} s",
            ">= 0 s",
        ),
        row(
            f"missing of {len(wanted)} wanted pictures (and shown twice)",
            lambda r: f"{len(set(wanted) - set(r.numbers))} ({len(r.numbers) - len(set(r.numbers))})",
            "0 (0)",
        ),
        row("clip ready, after end + 30 s", lambda r: f"{r.ready_s:.2f} s", "<= motion"),
        row("clip's size", lambda r: f"{r.size_bytes / 1e6:.1f} MB"),
    ]


def beside_motion_rows(folder: Path) -> list[Row]:
    """Measure, and show."""
    return rows(measure(folder))
