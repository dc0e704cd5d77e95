"""The unit's ear for its own voice: hears the line of the acoustic self-test, while a test is under way and only then.

It works beside the pipeline that hears calls, on the same sound and the same voice model, and takes nothing from it: a
call during a test is heard as at any other time, and the test's line is no phrase. What it hears counts only where the
gate before the calls let it through as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING

import structlog

from agent.helpers.messages import SelfTestBegun, SelfTestEnded
from agent.hw.kit import BLOCK_MS
from agent.hw.lines import line_words
from agent.signals import Line
from agent.voice.decision import Phrase
from agent.voice.gate import level_dbfs
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable, unknown_words, vocabulary
from agent.voice.pipeline import pipelines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.hw.kit import PcmBlock
    from agent.voice.decision import Detection
    from agent.voice.pipeline import Pipeline

log = structlog.get_logger()

QUIET_S = 1.0
"""The gate before the calls is shut for so long: nobody speaks. With its own hang-over, 1.5 s after the last word."""
QUIET_WITHIN_S = 60.0
"""After that the test is tried all the same: in a shop with music it is never quiet."""
LISTEN_S = 12.0
"""The line takes 2.4 s, a sleeping sound card a second or two, the decision at most one and a half."""
MIN_CONFIDENCE = 0.5
"""Of each word. Lower than for calls: who else would say these words just now, and a line missed is a false fault. The
line was heard in 30 of 30 simulated streets at 10 dB or more over their noise, no word under 0.79; 26 of 30 at 5 dB."""


def sound_check() -> Phrase:
    """What the unit says to itself."""
    return Phrase(line_words(Line.SOUND_CHECK), Line.SOUND_CHECK.value, MIN_CONFIDENCE)


def ear_for(model: Path) -> OwnEar | None:
    """The ear of a unit that hears calls with this model; None, with a log line, where no model knows the words.

    A model of another language does not know them; the bundled one then proves speaker, microphone and gate.

    Raises:
        ModelUnusable: the unit's model is missing or broken.
    """
    phrase = sound_check()
    for each in dict.fromkeys((model, BUNDLED_MODEL)):
        try:
            if not unknown_words(phrase.text, vocabulary(each)):
                return OwnEar(pipelines(each, [phrase], (), refractory_s=LISTEN_S))
        except ModelUnusable as unusable:
            if each is model:
                raise
            log.exception("self_test_model_unusable", reason=str(unusable))  # calls are heard with the other one
    log.error("self_test_impossible", reason=f'no voice model here knows the words "{phrase.text}"')
    return None


@dataclass
class _Waiting:
    """A test is asked for; it begins when it is quiet."""

    number: int
    since_s: float | None = None
    quiet_blocks: int = 0


@dataclass
class _Listening:
    """A test has begun."""

    number: int
    began_s: float
    pipeline: Pipeline
    blocks: list[tuple[float, float, bool]] = field(default_factory=list)
    """Of each block since then: when it ended, its level (dBFS), and whether it was let through to the calls."""


class OwnEar:
    """Answers each test asked for once, if sound comes; a newer one takes the place of one under way."""

    def __init__(self, fresh_pipeline: Callable[[], Pipeline]) -> None:
        self._fresh_pipeline = fresh_pipeline
        self._test: _Waiting | _Listening | None = None

    def ask(self, number: int) -> None:
        """Begin a test as soon as it is quiet."""
        self._test = _Waiting(number)

    def hear(self, block: PcmBlock, *, asleep: bool) -> SelfTestBegun | SelfTestEnded | None:
        """Hear the next block; `asleep` says that the gate before the calls kept it back."""
        match self._test:
            case _Waiting() as test:
                return self._wait(test, block, asleep=asleep)
            case _Listening() as test:
                return self._listen(test, block, asleep=asleep)
            case _:
                return None

    def _wait(self, test: _Waiting, block: PcmBlock, *, asleep: bool) -> SelfTestBegun | None:
        if test.since_s is None:
            test.since_s = block.ended_s
        test.quiet_blocks = test.quiet_blocks + 1 if asleep else 0
        if test.quiet_blocks * BLOCK_MS / 1000 < QUIET_S and block.ended_s - test.since_s < QUIET_WITHIN_S:
            return None
        self._test = _Listening(test.number, block.ended_s, self._fresh_pipeline())
        return SelfTestBegun(test.number)

    def _listen(self, test: _Listening, block: PcmBlock, *, asleep: bool) -> SelfTestEnded | None:
        test.blocks.append((block.ended_s, level_dbfs(block.pcm), not asleep))
        level = _level_of(test.pipeline.hear(block), test.blocks)
        over = block.ended_s - test.began_s >= LISTEN_S
        if over and level is None:
            level = _level_of(test.pipeline.end(block.ended_s), test.blocks)
        if level is None and not over:
            return None
        self._test = None
        return SelfTestEnded(test.number, level, block.ended_s)


def _level_of(said: Sequence[Detection], blocks: Sequence[tuple[float, float, bool]]) -> float | None:
    """How loud the line was, if it was said and passed to the calls' recogniser too."""
    for line in said:
        within = [each for each in blocks if line.start_s < each[0] < line.end_s + BLOCK_MS / 1000]
        if any(passed for _, _, passed in within):
            power = sum(10 ** (level / 10) for _, level, _ in within) / len(within)
            return round(10 * log10(power), 1)
    return None
