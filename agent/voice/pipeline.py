"""Gate, recognisers and decision in a row: the same for a microphone, a file and the simulated street.

One gate serves all languages: whether somebody may be speaking does not depend on which.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from agent.voice.decision import Suspicion
from agent.voice.gate import Gate
from agent.voice.language import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.hw.kit import PcmBlock
    from agent.voice.decision import Detection, LastCounted, Phrase, Rejection
    from agent.voice.language import Ear
    from agent.voice.verifier import Verifier


class Pipeline:
    """Blocks of sound in, detections out, on whatever clock the blocks carry."""

    def __init__(self, main: Language, refractory_s: float) -> None:
        self._refractory_s = refractory_s
        self._last_counted: LastCounted = {}
        self._gate = Gate()
        self._main = main.ear(refractory_s, self._last_counted)
        self._ears: list[Ear] = [self._main]
        self.suspicions: list[Suspicion] = []
        """What partial results made likely with the last block, not decided yet; of each language once an utterance at
        most."""

    def add(self, language: Language) -> None:
        """Hear a further language too, from now on: what is being said at this moment it may miss."""
        self._ears.append(language.ear(self._refractory_s, self._last_counted))

    @property
    def asleep(self) -> bool:
        """Whether the gate is shut: nothing is loud enough to be speech."""
        return not self._gate.open

    @property
    def recognised_s(self) -> float:
        """Seconds of sound that passed the gate."""
        return self._main.heard_s

    @property
    def recogniser_age_s(self) -> float:
        """Seconds of sound that the oldest present recogniser was given."""
        return max(ear.age_s for ear in self._ears)

    @property
    def rejected(self) -> Counter[Rejection]:
        """Phrases that were heard but did not count, by reason, in all languages."""
        found: Counter[Rejection] = Counter()
        for ear in self._ears:
            found.update(ear.rejected)
        return found

    def hear(self, block: PcmBlock) -> list[Detection]:
        """Hear the next block; returns the phrases decided with it."""
        self.suspicions = []
        passed = self._gate.feed(block.pcm[: len(block.pcm) // 2 * 2])  # half a sample is none
        if not passed.pcm:
            return []
        found = []
        for ear in self._ears:
            found += ear.hear(passed.pcm, block.ended_s, last=passed.shut)
            if phrase := ear.newly_suspected:
                self.suspicions.append(Suspicion(phrase, block.ended_s))
        return found

    def end(self, at_s: float) -> list[Detection]:
        """No more sound comes after `at_s`; returns what was still undecided."""
        return [said for ear in self._ears for said in ear.end(at_s)]


class Deaf:
    """In the place of a pipeline where nothing is listened for: the microphone is there to measure."""

    def __init__(self) -> None:
        self.rejected: Counter[Rejection] = Counter()
        """Always empty."""
        self.suspicions: list[Suspicion] = []
        """Never any."""
        self.asleep = True
        self.recognised_s = 0.0
        self.recogniser_age_s = 0.0
        """There is none."""

    def add(self, language: Language) -> None:
        """Hear nothing in a further language either."""

    def hear(self, block: PcmBlock) -> list[Detection]:  # noqa: ARG002 - that is what deaf means
        """Nothing."""
        return []

    def end(self, at_s: float) -> list[Detection]:  # noqa: ARG002 - as above
        """Nothing."""
        return []


def pipelines(
    model_folder: Path,
    phrases: Sequence[Phrase],
    decoys: Sequence[str],
    refractory_s: float,
    verifier: Verifier | None = None,
) -> Callable[[], Pipeline]:
    """Load the main language's model once; returns what makes fresh pipelines over it.

    Raises:
        ModelUnusable: the model is missing or broken.
        WordUnknown: a phrase holds a word that the model cannot hear.
    """
    return partial(Pipeline, Language(model_folder, phrases, decoys, verifier), refractory_s)
