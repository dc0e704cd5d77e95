"""Training: from nothing to a network that LF-MMI is content with, on the CPU, from fixed seeds."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
import torch
from torch import Tensor
from torch.nn import functional

from voicemodel import chain
from voicemodel.aligner import Aligner
from voicemodel.network import OUTPUTS, Network

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemodel.checkpoint import Checkpoint
    from voicemodel.lessons import Batch, Lessons

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
KEEP_EVERY = 500
"""Steps: for the learning curve."""
TELL_EVERY = 50
AVERAGING = 0.997
"""The network that is kept is a running mean over some 300 steps: better than any single one."""


class Trainer:
    """One network's training: its stage follows from its step."""

    def __init__(  # noqa: PLR0913 - all but the network and the grammar by name
        self,
        network: Network,
        grammar: chain.Bigram,
        *,
        steps: int,
        rate: float,
        aligned_steps: int = ALIGNED_STEPS,
        bfloat16: bool = False,
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
        self._bfloat16 = bfloat16
        self._folded = not aligned_steps
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2, betas=(0.9, 0.98))

    @property
    def step(self) -> int:
        """How many steps were made."""
        return self._step

    def state(self) -> dict[str, Any]:
        """All that it knows."""
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "prior": self._prior,
            "folded": self._folded,
            "step": self._step,
            "dropout": torch.get_rng_state(),
        }

    def go_back_to(self, state: dict[str, Any]) -> None:
        """Go on from there.

        Raises:
            RuntimeError: it is of a network of another shape.
        """
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._prior, self._folded, self._step = state["prior"], state["folded"], state["step"]
        torch.set_rng_state(state["dropout"])

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
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            scores, crossed = self.network(batch.cepstra)
        length = int(batch.frames.max())
        scores, crossed = scores[:, :length].float(), crossed[:, :length].float()
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
        first, last = (around - self._aligner.context for around in (self.network.back, self.network.ahead))
        heard = self._aligner.scores(batch.cepstra[:, first : batch.cepstra.shape[1] - last])[:, : scores.shape[1]]
        _, wanted = chain.numerator(heard, batch.frames, batch.said, self._grammar)
        return -(alone * wanted).sum((1, 2)), wanted, is_now


def train(
    trainer: Trainer, lessons: Lessons, checkpoint: Checkpoint | None = None, keep: Callable[[int], None] | None = None
) -> None:
    """Make all steps that are left.

    Args:
        trainer: Of a network.
        lessons: What it learns from.
        checkpoint: Where this training is stored now and then, to go on if it is stopped.
        keep: Called after every `KEEP_EVERY` steps with how many were made.
    """
    began_s, totals, told = time.monotonic(), np.zeros(2), trainer.step
    while not trainer.done:
        stage = trainer.stage
        totals += trainer.learn(lessons.next())
        if trainer.step % TELL_EVERY == 0:
            log.info(
                "learned",
                steps=trainer.step,
                stage=stage.value,
                objective=round(float(totals[0]) / (trainer.step - told), 4),
                cross_entropy=round(float(totals[1]) / (trainer.step - told), 3),
                elapsed_s=round(time.monotonic() - began_s),
            )
            totals, told = np.zeros(2), trainer.step
        if keep and trainer.step % KEEP_EVERY == 0:
            keep(trainer.step)
        if checkpoint and checkpoint.due:
            checkpoint.store(trainer.state(), lessons.state())
