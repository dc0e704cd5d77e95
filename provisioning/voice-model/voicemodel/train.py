"""Training: from nothing to a network that LF-MMI is content with, on the CPU, from fixed seeds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import structlog
import torch
from torch import Tensor
from torch.nn import functional

from voicemodel import chain
from voicemodel.aligner import Aligner
from voicemodel.features import MELS, cosine_transform
from voicemodel.layers import SUBSAMPLING
from voicemodel.network import OUTPUTS, Network
from voicemodel.variety import varied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from voicemodel.scenes import Chapter

log = structlog.get_logger()


class Stage(Enum):
    """What the network learns from; the second needs the first."""

    ALIGNED = "aligned"
    """Where the aligner finds each sound, frame by frame."""
    CHAIN = "chain"
    """LF-MMI."""


ALIGNED_STEPS = 300
PRIOR_SCALE = 0.8
"""How much of an output's frequency is taken out of its score before LF-MMI; without, everything becomes silence."""
CROSS_ENTROPY_WEIGHT = {Stage.ALIGNED: 0.3, Stage.CHAIN: 0.2}
SIZE_PENALTY = 0.0005
"""On the square of the chain's scores: it knows differences only."""
FRAMES_A_BATCH = 8000
KEEP_EVERY = 500
"""Steps: for the learning curve."""
AVERAGING = 0.997
"""The network that is kept is a running mean over some 300 steps: better than any single one."""


@dataclass(frozen=True)
class Batch:
    """Scenes side by side."""

    cepstra: Tensor
    frames: Tensor
    """Of the output."""
    said: chain.Said


def batches(
    chapter: Chapter, said: Sequence[tuple[list[int], list[bool]]], chance: Generator, context: int
) -> Iterator[Batch]:
    """The scenes of a chapter once, each varied anew, those of like length together."""
    transform = cosine_transform()
    starts = np.concatenate([[0], np.cumsum(chapter.frames)])
    order = np.argsort(chapter.frames + chance.uniform(0, 40, len(chapter.frames)))
    groups: list[list[int]] = [[]]
    for scene in order:
        if groups[-1] and int(chapter.frames[scene]) * (len(groups[-1]) + 1) > FRAMES_A_BATCH:
            groups.append([])
        groups[-1].append(int(scene))
    for number in chance.permutation(len(groups)):
        mels = [
            varied(chance, chapter.mels[starts[scene] : starts[scene + 1]].astype(np.float32))
            for scene in groups[number]
        ]
        texts = [
            said[int(chapter.entry[scene])] if chapter.entry[scene] >= 0 else chain.sequence([])
            for scene in groups[number]
        ]
        yield _batch([mel @ transform for mel in mels], texts, context)


def _batch(cepstra: list[NDArray[np.float32]], said: list[tuple[list[int], list[bool]]], context: int) -> Batch:
    longest = max(len(one) for one in cepstra)
    frames = np.zeros((len(cepstra), longest + 2 * context, MELS), np.float32)
    for row, one in enumerate(cepstra):  # as Kaldi does, the first and last frame stand for what is missing
        frames[row] = np.pad(one, ((context, longest - len(one) + context), (0, 0)), mode="edge")
    counts = torch.tensor([(len(one) + SUBSAMPLING - 1) // SUBSAMPLING for one in cepstra])
    whole = torch.from_numpy(frames)
    return Batch(whole, counts, chain.batch(said))


class Trainer:
    """One network's training: its stage follows from its step."""

    def __init__(
        self, network: Network, grammar: chain.Bigram, steps: int, rate: float, aligned_steps: int = ALIGNED_STEPS
    ) -> None:
        self.network = network
        self.averaged = torch.optim.swa_utils.AveragedModel(
            network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING), use_buffers=True
        )
        self._grammar = grammar
        self._steps = steps
        self._rate = rate
        self._step = 0
        self._aligner = Aligner()
        self._prior = torch.full((OUTPUTS,), 1 / OUTPUTS)
        self._aligned_steps = aligned_steps
        self._folded = not aligned_steps
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2, betas=(0.9, 0.98))

    @property
    def stage(self) -> Stage:
        """What it learns from now."""
        return Stage.ALIGNED if self._step < self._aligned_steps else Stage.CHAIN

    @property
    def done(self) -> bool:
        """Whether all steps are made."""
        return self._step >= self._steps

    def learn(self, batch: Batch) -> tuple[float, float]:
        """Make one step; returns the objective and the cross entropy, both per frame."""
        stage = self.stage
        if stage is Stage.CHAIN and not self._folded:
            with torch.no_grad():
                self.network.chain.bias -= PRIOR_SCALE * self._prior.log()
            self._folded = True
        warm = min(1.0, (self._step + 1) / 100)
        rate = self._rate * warm * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * self._step / self._steps)))
        for group in self._optimiser.param_groups:
            group["lr"] = float(rate)
        scores, crossed = self.network(batch.cepstra)
        length = int(batch.frames.max())
        scores, crossed = scores[:, :length], crossed[:, :length]
        count = batch.frames.sum().float()
        mask = (torch.arange(length)[None] < batch.frames[:, None])[:, :, None]
        with torch.no_grad():
            value, wanted, is_now = self._posteriors(stage, scores.detach(), batch, mask)
            fits = torch.isfinite(value) & (value < -chain.NEVER / 10)
            # An utterance too short for what it says teaches nothing; 0 times its infinite numbers would be none.
            wanted = torch.where(fits[:, None, None], wanted, torch.zeros(()))
            is_now = torch.where(fits[:, None, None], is_now, torch.zeros(()))
            gradient = (is_now - wanted) / count
            objective = float(torch.where(fits, value, torch.zeros(())).sum() / count)
            if stage is not Stage.CHAIN:
                self._prior = 0.97 * self._prior + 0.03 * (wanted.sum((0, 1)) + 0.5) / (count + OUTPUTS / 2)
        cross_entropy = -(functional.log_softmax(crossed, 2) * wanted).sum() / count
        # The gradient of the objective is known in closed form: this product has it.
        loss = (scores * gradient).sum() + CROSS_ENTROPY_WEIGHT[stage] * cross_entropy
        if stage is Stage.CHAIN:
            loss = loss + SIZE_PENALTY * ((scores**2).mean(2, keepdim=True) * mask).sum() / count
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self._optimiser.step()
        self.averaged.update_parameters(self.network)
        self._step += 1
        return objective, float(cross_entropy.detach())

    def _posteriors(self, stage: Stage, scores: Tensor, batch: Batch, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each row's objective, and the posteriors of the outputs as they should be and as they are."""
        if stage is Stage.CHAIN:
            wanted_likelihood, wanted = chain.numerator(scores, batch.frames, batch.said, self._grammar)
            any_likelihood, is_now = chain.denominator(scores, batch.frames, self._grammar)
            return any_likelihood - wanted_likelihood, wanted, is_now
        is_now = functional.softmax(scores, 2) * mask
        alone = functional.log_softmax(scores, 2)
        reach = self.network.context - self._aligner.context
        heard = self._aligner.scores(batch.cepstra[:, reach : batch.cepstra.shape[1] - reach])[:, : scores.shape[1]]
        _, wanted = chain.numerator(heard, batch.frames, batch.said, self._grammar)
        return -(alone * wanted).sum((1, 2)), wanted, is_now


def train(
    trainer: Trainer,
    said: Sequence[tuple[list[int], list[bool]]],
    chapters: Callable[[int], Chapter],
    seed: int,
    keep: Callable[[int], None],
) -> None:
    """Make all steps.

    Args:
        trainer: Of a network.
        said: What each entry of the corpus says.
        chapters: The scenes to learn from in round 0, 1, ...
        seed: Of the order and the variety.
        keep: Called after every `KEEP_EVERY` steps with how many were made.
    """
    chance = np.random.default_rng(seed)
    began_s, number, seen, totals = time.monotonic(), 0, 0, np.zeros(2)
    while not trainer.done:
        for batch in batches(chapters(number), said, chance, trainer.network.context):
            stage = trainer.stage
            totals += trainer.learn(batch)
            seen += 1
            if seen % 50 == 0:
                log.info(
                    "learned",
                    steps=seen,
                    stage=stage.value,
                    objective=round(float(totals[0]) / 50, 4),
                    cross_entropy=round(float(totals[1]) / 50, 3),
                    elapsed_s=round(time.monotonic() - began_s),
                )
                totals = np.zeros(2)
            if seen % KEEP_EVERY == 0:
                keep(seen)
            if trainer.done:
                break
        number += 1
