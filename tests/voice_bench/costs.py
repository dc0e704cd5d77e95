"""What listening costs: CPU time in a quiet night, and memory after hours of sound."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.voice_bench.phrase_sets import SHIPPED
from tests.voice_bench.runs import heard
from tests.voice_bench.tapes import quiet_night, tape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.voice_bench.plans import TalkTape

LOOP_S = 1800


def quiet_cpu_s_per_hour(engines: Sequence[str], minutes: float) -> dict[str, float]:
    """Each engine on the same quiet night, one after the other in this process."""
    night = quiet_night(minutes)
    return {name: heard(name, SHIPPED, night)[1] * 3600 / night.length_s for name in engines}


def memory(talk: Sequence[TalkTape], hours: float) -> list[dict[str, Any]]:
    """Memory of a process that does nothing but run our pipeline over half an hour of talk, over and over."""
    loop = np.concatenate([tape_of(plan).sound for plan in talk])[: LOOP_S * 16_000]
    with tempfile.TemporaryDirectory(prefix="voice-bench-") as folder:
        path = Path(folder) / "loop.pcm"
        path.write_bytes(loop.astype("<i2").tobytes())
        command = [sys.executable, "-m", "tests.voice_bench.memory", str(path), str(hours)]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]
