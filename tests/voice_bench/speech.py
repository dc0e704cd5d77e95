"""Held-out voices say lines, each once: sound is kept below `build/voice-bench/` and made again only if it is gone."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly
from voicemodel import speak

from agent.parent_death import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tests.voice_bench.cast import Line

CACHE = Path("build/voice-bench/speech")
_HOW = hashlib.sha256(Path(speak.__file__).read_bytes()).hexdigest()
"""What says the lines: another `speak.py` says them anew. A new release of an engine's package does not."""
_SAY_AT_ONCE = 16
"""Lines a worker takes at a time."""


def _kept(line: Line) -> Path:
    """Where its sound is."""
    return CACHE / f"{hashlib.sha256((_HOW + repr(line)).encode()).hexdigest()[:24]}.npy"


def _say(line: Line) -> None:
    sound, _ = speak.spoken(line.text, line.voice, line.seed)
    part = _kept(line).with_suffix(f".{line.seed}.part")
    with part.open("wb") as file:
        np.save(file, np.rint(sound * 32767).astype(np.int16))
    part.rename(_kept(line))


def say_all(lines: Sequence[Line], workers: int, progress: Callable[[int, int], None]) -> None:
    """Have them all said, those that are not there yet.

    Raises:
        CannotSay: a voice fails, or is not installed: a call less would count as none.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = [line for line in dict.fromkeys(lines) if not _kept(line).exists()]
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as pool:
        try:
            for done, _ in enumerate(pool.map(_say, missing, chunksize=_SAY_AT_ONCE), 1):
                progress(done, len(missing))
        except speak.CannotSay:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def sound_of(line: Line, tract: float = 1.0) -> NDArray[np.float32]:
    """Its sound."""
    sound = np.load(_kept(line)).astype(np.float32) / np.float32(32767)
    if tract == 1.0:
        return np.asarray(sound, np.float32)
    return np.asarray(resample_poly(sound, 100, round(100 * tract)), np.float32)
