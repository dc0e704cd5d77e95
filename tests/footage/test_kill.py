"""A recorder that is killed at any moment loses nothing that it has told to be safe, and the next one goes on."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent.footage.store.index import FootageIndex
from agent.helpers.messages import Settings, Working
from tests.footage.daemon_end import LIMIT_S, DaemonEnd, config
from tests.footage.film import clocks

if TYPE_CHECKING:
    from pathlib import Path

UNITS, KILLS = 5, 10
"""Fifty kills; the units share the time it takes."""


def record_and_kill(folder: Path, after_s: float) -> int:
    """One life of a recorder, ended without a warning; returns how many frames it said were safe."""
    ours, theirs = socket.socketpair()
    with theirs:
        recorder = subprocess.Popen(
            [sys.executable, "-m", "tests.footage.record_alone", str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
    daemon = DaemonEnd(ours)
    try:
        daemon.ask(Settings(config(folder).model_dump_json()))
        first = daemon.hears(Working)
        time.sleep(after_s)  # the random moment is what is tested
    finally:
        recorder.kill()
        recorder.wait(LIMIT_S)
        daemon.close()
    return max([first.done, *(event.done for event in daemon.heard if isinstance(event, Working))])


def live_and_die(folder: Path, seed: int) -> int:
    """Many lives of one unit's recorder; returns how many frames all of them left."""
    dice, footage = random.Random(seed), folder / "footage"
    known: set[str] = set()
    frames = 0
    for _ in range(KILLS):
        safe = record_and_kill(folder, dice.uniform(0, 1.5))
        index = FootageIndex(footage / "index.sqlite", footage / "segments")
        new = [segment for segment in index.segments() if str(segment.name) not in known]
        index.close()
        assert new, "recording resumed"
        assert all(segment.closed for segment in new)
        numbers = [clock.number for segment in new for clock in clocks(segment.path)]
        assert numbers == list(range(len(numbers))), "no frame is missing up to the last one"
        assert len(numbers) >= safe
        known |= {str(segment.name) for segment in new}
        frames += len(numbers)
    assert known == {path.name for path in (footage / "segments").iterdir()}
    return frames


def test_fifty_kills_at_random_moments_lose_no_safe_frame_and_recording_resumes(tmp_path: Path) -> None:
    with ThreadPoolExecutor(UNITS) as pool:
        lives = [pool.submit(live_and_die, tmp_path / str(seed), seed) for seed in range(UNITS)]
        assert all(life.result() > KILLS for life in lives)
