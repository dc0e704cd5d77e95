"""What the sound level meter costs: `python -m tests.bench.meter_cost [MINUTES]`, in CPU seconds an hour of sound."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from agent.config.hearing import MeterSettings
from agent.hw.decimator import Decimator
from agent.hw.kit import BLOCK_MS, WIDE_BLOCK_SAMPLES, PcmBlock
from agent.meter.metering import Metering

if TYPE_CHECKING:
    from collections.abc import Callable

LOOP_BLOCKS = 100


def cost_s_per_h(work: Callable[[PcmBlock], object], minutes: float) -> float:
    """CPU seconds for an hour of noise."""
    noise = np.random.default_rng(1).normal(0, 3000, (LOOP_BLOCKS, WIDE_BLOCK_SAMPLES)).astype("<i2")
    blocks = [row.tobytes() for row in noise]
    count = round(minutes * 60_000 / BLOCK_MS)
    began_s = time.process_time()
    for number in range(count):
        work(PcmBlock(b"", number * BLOCK_MS / 1000, wide=blocks[number % LOOP_BLOCKS]))
    return (time.process_time() - began_s) * 60 / minutes


def main(minutes: float) -> None:
    """Measure and print."""
    decimator = Decimator()
    parts: dict[str, Callable[[PcmBlock], object]] = {
        "meter with octave bands": Metering(MeterSettings(enabled=True)).feed,
        "meter without": Metering(MeterSettings(enabled=True, octave_bands=False)).feed,
        "48 kHz -> 16 kHz": lambda block: decimator.feed(block.wide),
    }
    for name, work in parts.items():
        seconds = cost_s_per_h(work, minutes)
        sys.stdout.write(f"{name:24} {seconds:6.1f} CPU s an hour of sound ({seconds / 36:.2f} % of a core)\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
