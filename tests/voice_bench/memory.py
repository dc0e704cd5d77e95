"""A process that runs our pipeline over an hour of sound, again and again; each time it tells its memory as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from agent.hw.kit import BLOCK_MS, BLOCK_SAMPLES, PcmBlock
from agent.parent_death import end_with_parent
from agent.voice.language import phrases_of
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.pipeline import pipelines
from tests.bench.processes import rss_mb
from tests.voice_bench.phrase_sets import SHIPPED, phrase_set


def main(loop: Path, hours: float) -> None:
    """Hear it."""
    end_with_parent()
    voice = phrase_set(SHIPPED).voice
    pipeline = pipelines(BUNDLED_MODEL, phrases_of(voice), voice.decoys, voice.refractory_s)()
    blocks, an_hour = round(hours * 3_600_000 / BLOCK_MS), 3_600_000 // BLOCK_MS
    with loop.open("rb") as sound:
        for number in range(blocks + 1):
            if number % an_hour == 0 or number == blocks:
                told = {"hours": number / an_hour, "rss_mb": rss_mb(os.getpid())}
                sys.stdout.write(json.dumps(told) + "\n")
                sys.stdout.flush()
            pcm = sound.read(2 * BLOCK_SAMPLES)
            if len(pcm) < 2 * BLOCK_SAMPLES:
                sound.seek(0)
                pcm = sound.read(2 * BLOCK_SAMPLES)
            pipeline.hear(PcmBlock(pcm, (number + 1) * BLOCK_MS / 1000))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
