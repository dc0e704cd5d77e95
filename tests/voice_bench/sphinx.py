"""PocketSphinx keyword spotting with its bundled model, run so low that every threshold can be tried afterwards."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pocketsphinx

from agent.hw.kit import SAMPLE_RATE_HZ
from tests.voice_bench.hits import Hit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.hw.kit import PcmBlock

LOWEST = 1e-40
"""PocketSphinx's own advice is 1e-5 to 1e-50 for longer phrases; at this one it hears something in every sentence."""
FRAME_S = 0.01


def _decoder(phrases: tuple[str, ...]) -> pocketsphinx.Decoder:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "phrases"
        listed.write_text("".join(f"{phrase} /{LOWEST:g}/\n" for phrase in phrases), encoding="utf-8")
        return pocketsphinx.Decoder(lm=None, kws=str(listed), samprate=SAMPLE_RATE_HZ, loglevel="FATAL")


class Sphinx:
    """One stream, one utterance without end: nothing is cut at a restart.

    Fresh for each tape, so that the order of tapes is no matter: it adapts to the loudness of what it hears. What it
    finds it may find surer a moment later: each time is a hit of its own, so that at any threshold the first one above
    it tells when it would have been decided.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._decoder = _decoder(tuple(labels))
        self._decoder.start_utt()
        self._best: dict[tuple[str, int], float] = {}

    def hear(self, block: PcmBlock) -> list[Hit]:
        """Hear the next 100 ms."""
        self._decoder.process_raw(block.pcm, no_search=False, full_utt=False)
        return self._new(block.ended_s)

    def end(self, at_s: float) -> list[Hit]:
        """No more comes."""
        self._decoder.end_utt()
        return self._new(at_s)

    def _new(self, now_s: float) -> list[Hit]:
        hits = []
        for found in self._decoder.seg() or ():
            which = found.word, found.end_frame
            if found.prob > self._best.get(which, float("-inf")):
                self._best[which] = found.prob
                hits.append(Hit(self._labels[found.word.strip()], found.end_frame * FRAME_S, now_s, found.prob))
        return hits
