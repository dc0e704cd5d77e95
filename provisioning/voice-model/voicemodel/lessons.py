"""What a network learns from, batch by batch, in an order and with a variety that come from a seed.

How far they have come can be kept and gone back to: the batches after that are the same as if nothing had been between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from voicemodel import chain
from voicemodel.features import MELS, cosine_transform
from voicemodel.layers import SUBSAMPLING
from voicemodel.variety import varied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from voicemodel.network import Network
    from voicemodel.scenes import Chapter

    Sequences = Sequence[tuple[list[int], list[bool]]]
    """What each entry of the corpus says, as `chain.sequence` has it."""

FRAMES_A_BATCH = 8000


@dataclass(frozen=True)
class Batch:
    """Scenes side by side."""

    cepstra: Tensor
    frames: Tensor
    """Of the output."""
    said: chain.Said


class Lessons:
    """The scenes of one chapter after the other, each varied anew, those of like length together.

    Args:
        chapters: The scenes to learn from in turn 0, 1, ...
        said: What each entry of the corpus says.
        seed: Of the order and the variety.
        network: What learns: how many frames it needs around what it scores.
    """

    def __init__(self, chapters: Callable[[int], Chapter], said: Sequences, seed: int, network: Network) -> None:
        self._chapters = chapters
        self._said = said
        self._network = network
        self._chance = np.random.default_rng(seed)
        self._turn = -1
        self._chapter: Chapter | None = None
        self._groups: list[list[int]] = []
        """The scenes of each batch that this turn has yet to come."""

    def next(self) -> Batch:
        """The next batch."""
        if not self._groups:
            self._turn += 1
            self._chapter = self._chapters(self._turn)
            self._groups = self._in_order(self._chapter)
        chapter, group = self._there(), self._groups.pop(0)
        starts = np.concatenate([[0], np.cumsum(chapter.frames)])
        mels = [
            varied(self._chance, chapter.mels[starts[scene] : starts[scene + 1]].astype(np.float32)) for scene in group
        ]
        return batch([mel @ cosine_transform() for mel in mels], self._texts(chapter, group), self._network)

    def state(self) -> dict[str, Any]:
        """How far they have come."""
        return {"turn": self._turn, "groups": list(self._groups), "chance": self._chance.bit_generator.state}

    def go_back_to(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._turn, self._groups, self._chapter = state["turn"], list(state["groups"]), None
        self._chance.bit_generator.state = state["chance"]

    def _there(self) -> Chapter:
        if self._chapter is None:
            self._chapter = self._chapters(self._turn)
        return self._chapter

    def _in_order(self, chapter: Chapter) -> list[list[int]]:
        order = np.argsort(chapter.frames + self._chance.uniform(0, 40, len(chapter.frames)))
        groups = grouped(chapter, [int(scene) for scene in order])
        return [groups[number] for number in self._chance.permutation(len(groups))]

    def _texts(self, chapter: Chapter, group: Sequence[int]) -> Sequences:
        return [
            self._said[int(chapter.entry[scene])] if chapter.entry[scene] >= 0 else chain.sequence([])
            for scene in group
        ]


def grouped(chapter: Chapter, scenes: Sequence[int]) -> list[list[int]]:
    """Scenes, sorted by length, as batches of `FRAMES_A_BATCH` at most, or of one scene."""
    groups: list[list[int]] = [[]]
    for scene in scenes:
        if groups[-1] and int(chapter.frames[scene]) * (len(groups[-1]) + 1) > FRAMES_A_BATCH:
            groups.append([])
        groups[-1].append(scene)
    return groups


def batch(cepstra: Sequence[NDArray[np.float32]], texts: Sequences, network: Network) -> Batch:
    """These scenes side by side; as Kaldi does, the first and last frame stand for what is missing around them."""
    longest = max(len(one) for one in cepstra)
    frames = np.zeros((len(cepstra), network.back + longest + network.ahead, MELS), np.float32)
    for row, one in enumerate(cepstra):
        around = (network.back, longest - len(one) + network.ahead)
        frames[row] = np.pad(one, (around, (0, 0)), mode="edge")
    counts = torch.tensor([(len(one) + SUBSAMPLING - 1) // SUBSAMPLING for one in cepstra])
    return Batch(torch.from_numpy(frames), counts, chain.batch(texts))
