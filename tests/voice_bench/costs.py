"""What listening costs: CPU time in a quiet night, and memory after hours of sound."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.hw.kit import SAMPLE_RATE_HZ
from tests.voice_bench.phrase_sets import SHIPPED
from tests.voice_bench.play import heard
from tests.voice_bench.tapes import quiet_night, tape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.voice_bench.plans import TalkTape

TALK_S, QUIET_S = 600, 3000
"""Of an hour in a street where people pass by."""


def quiet_cpu_s_per_hour(engines: Sequence[str], minutes: float) -> dict[str, float]:
    """Each engine on the same quiet night, one after the other in this process."""
    night = quiet_night(minutes)
    return {name: heard(name, SHIPPED, night)[1] * 3600 / night.length_s for name in engines}


@contextmanager
def memory(talk: Sequence[TalkTape], hours: float) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Memory of a process that does nothing but run our pipeline, over an hour of talk and quiet again and again.

    It runs beside what is done within; yields what waits for its end, and tells its memory after each hour.
    """
    spoken = np.concatenate([tape_of(plan).sound for plan in talk])[: TALK_S * SAMPLE_RATE_HZ]
    hour = np.concatenate([spoken, quiet_night(QUIET_S / 60).sound])
    with tempfile.TemporaryDirectory(prefix="voice-bench-") as folder:
        path = Path(folder) / "hour.pcm"
        path.write_bytes(hour.astype("<i2").tobytes())
        command = [sys.executable, "-m", "tests.voice_bench.memory", str(path), str(hours)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:

            def told() -> list[dict[str, Any]]:
                lines, _ = child.communicate()
                if child.returncode:
                    raise subprocess.CalledProcessError(child.returncode, command)
                return [json.loads(line) for line in lines.splitlines()]

            try:
                yield told
            finally:
                child.kill()
