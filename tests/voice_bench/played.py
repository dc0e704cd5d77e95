"""Plays tapes, a process for each core; what was heard of each is kept, so a bench that was stopped goes on there."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from agent.parent_death import end_with_parent
from tests.voice_bench import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.voice_bench.plans import Plan
    from tests.voice_bench.runs import Run

    Job = tuple[Plan, tuple[str, ...]]
    """A tape, and who hears it."""

HERE = Path("build/voice-bench/played")
_ROOT = Path(__file__).parents[2]
_HEARS = (
    "agent",
    "fakes",
    "provisioning/voice-model/voicemodel",
    "provisioning/voice-model/phrases.txt",
    "tests/voice_bench",
)
"""What a run depends on: another file at or below these, and every tape is heard anew. New releases of Vosk or
PocketSphinx are not seen, nor other recordings of people under the same names."""


def play_all(jobs: Sequence[Job], play: Callable[[Job], list[Run]], workers: int) -> Iterator[list[Run]]:
    """Play those that were not played yet; what was heard of each tape, as it is done."""
    HERE.mkdir(parents=True, exist_ok=True)
    todo = []
    for job in jobs:
        path = kept(job)
        if path.exists():
            yield runs.from_json(json.loads(path.read_text(encoding="utf-8")))
        else:
            todo.append((job, path))
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as pool:
        playing = {pool.submit(play, job): path for job, path in todo}
        try:
            for finished in as_completed(playing):
                heard = finished.result()
                runs.write(playing[finished], runs.as_json(heard))
                yield heard
        finally:
            pool.shutdown(cancel_futures=True)  # one failed: the others are not waited for


def kept(job: Job) -> Path:
    """Where it is kept what was heard of this tape."""
    key = sha256(f"{_everything()} {job!r}".encode())
    return HERE / f"{key.hexdigest()[:24]}.json"


@cache
def _everything() -> str:
    """A digest of all files that a run depends on."""
    digest = sha256()
    for place in (_ROOT / each for each in _HEARS):
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(_ROOT)} ".encode() + path.read_bytes())
    return digest.hexdigest()
