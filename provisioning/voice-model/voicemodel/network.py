"""The network: a factored time-delay network (TDNN-F) with skips, and its translation into what Kaldi computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from voicemodel.features import MELS
from voicemodel.layers import SKIP, SUBSAMPLING, Affine
from voicemodel.phones import PHONES

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTPUTS = 2 * (1 + len(PHONES))
"""For silence and each sound: one output for its first frame, one for all later ones."""
REACHES = (3, 3, 3, 3, 3, 3, 0)
"""How far each factored layer looks back and ahead, in frames. The sum is what a decision waits for: 0.21 s."""


@dataclass(frozen=True)
class Shape:
    """How large a network is."""

    width: int
    bottleneck: int
    memory: tuple[int, ...] = ()
    """How far each layer after `REACHES` looks back, in frames; none of them looks ahead, so no decision waits for it.
    How loud the place was before a call tells the caller from those who talk behind."""
    first: int = 256


class Spliced(nn.Module):
    """An affine layer over frames at some offsets; its output is shorter by what they reach."""

    def __init__(self, inputs: int, outputs: int, offsets: tuple[int, ...], *, bias: bool = True) -> None:
        super().__init__()
        self.offsets = offsets
        self.affine = nn.Linear(inputs * len(offsets), outputs, bias=bias)

    def forward(self, frames: Tensor, step: int = 1) -> Tensor:
        """Frames (batch x time x inputs) -> (batch x shorter time, each `step`-th x outputs)."""
        first = min(self.offsets)
        reach = max(self.offsets) - first
        length = frames.shape[1] - reach
        parts = [frames[:, offset - first : offset - first + length : step] for offset in self.offsets]
        spliced = parts[0] if len(parts) == 1 else torch.cat(parts, 2)
        return self.affine(spliced)  # type: ignore[no-any-return]


class Factored(nn.Module):
    """A factored layer: through a bottleneck that looks back, out of it looking ahead; how far, in frames of 10 ms."""

    def __init__(self, width: int, bottleneck: int, back: int, ahead: int) -> None:
        super().__init__()
        self.back, self.ahead = back // SUBSAMPLING, ahead // SUBSAMPLING
        self.into = Spliced(width, bottleneck, (-self.back, 0) if back else (0,), bias=False)
        self.out = Spliced(bottleneck, width, (0, self.ahead) if ahead else (0,))
        self.norm = nn.BatchNorm1d(width)

    def forward(self, frames: Tensor) -> Tensor:
        """Batch x time x width -> as wide, shorter by what it looks back and ahead."""
        inner = _normed(self.norm, self.out(self.into(frames)))
        kept = frames[:, self.back : frames.shape[1] - self.ahead]
        return torch.relu(inner) + SKIP * kept


class UnitDropout(nn.Module):
    """Leaves units out for a whole utterance (Kaldi's dropout-per-dim).

    To draw those of each frame took a sixth of a step.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, frames: Tensor) -> Tensor:
        """Batch x time x units -> the same; all units are there when nothing is learned."""
        if not self.training:
            return frames
        kept = torch.empty(frames.shape[0], 1, frames.shape[2]).bernoulli_(1 - self.share) / (1 - self.share)
        return frames * kept.to(frames.dtype)


class Network(nn.Module):
    """Cepstra in, a score for each output at every third frame out."""

    def __init__(self, mean: Tensor, scale: Tensor, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, bottleneck, first = shape.width, shape.bottleneck, shape.first
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.first = Spliced(MELS, first, (-2, -1, 0, 1, 2))
        self.first_norm = nn.BatchNorm1d(first)
        self.second_into = Spliced(first, bottleneck, (-1, 0, 1), bias=False)
        self.second_out = Spliced(bottleneck, width, (0,))
        self.second_norm = nn.BatchNorm1d(width)
        looks = [*((reach, reach) for reach in REACHES), *((back, 0) for back in shape.memory)]
        self.layers = nn.ModuleList(Factored(width, bottleneck, back, ahead) for back, ahead in looks)
        self.chain = nn.Linear(width, OUTPUTS)
        self.cross_entropy = nn.Linear(width, OUTPUTS)
        """A second head that keeps the training of the first one steady (Kaldi's xent regularisation)."""
        self.dropout = UnitDropout(0.05)

    @property
    def ahead(self) -> int:
        """How many frames of 10 ms are needed after what is scored."""
        return 2 + 1 + sum(REACHES)

    @property
    def back(self) -> int:
        """How many frames of 10 ms are needed before it."""
        return self.ahead + sum(self.shape.memory)

    def forward(self, cepstra: Tensor) -> tuple[Tensor, Tensor]:
        """Batch x (back + frames + ahead) x `MELS` -> the scores of both heads, batch x frames / 3 x `OUTPUTS`."""
        frames = (cepstra - self.mean) * self.scale
        frames = torch.relu(_normed(self.first_norm, self.first(frames)))
        frames = self.second_out(self.second_into(frames, step=SUBSAMPLING))
        frames = self.dropout(torch.relu(_normed(self.second_norm, frames)))
        for layer in self.layers:
            frames = self.dropout(layer(frames))
        return self.chain(frames), self.cross_entropy(frames)

    def as_kaldi(self) -> list[Affine]:
        """The same function as affine layers: normalisations are folded into the weights before them."""
        mean = self.mean.double().numpy().reshape(-1)
        scale = self.scale.double().numpy().reshape(-1)
        weights, bias = _numbers(self.first.affine)
        times = len(self.first.offsets)
        bias = bias - weights @ np.tile(mean * scale, times)
        weights = weights * np.tile(scale, times)
        layers = [Affine("first", *_folded(weights, bias, self.first_norm), self.first.offsets, "input", relu=True)]
        weights, bias = _numbers(self.second_into.affine)
        layers.append(Affine("second.into", weights, bias, self.second_into.offsets, "first"))
        weights, bias = _folded(*_numbers(self.second_out.affine), self.second_norm)
        layers.append(Affine("second", weights, bias, (0,), "second.into", relu=True))
        for number, layer in enumerate(self.layers, 3):
            assert isinstance(layer, Factored)  # noqa: S101 - for mypy: a ModuleList forgets
            before, name = layers[-1].name, f"layer{number}"
            offsets = [tuple(offset * SUBSAMPLING for offset in part.offsets) for part in (layer.into, layer.out)]
            layers.append(Affine(f"{name}.into", *_numbers(layer.into.affine), offsets[0], before))
            weights, bias = _folded(*_numbers(layer.out.affine), layer.norm)
            layers.append(Affine(name, weights, bias, offsets[1], f"{name}.into", relu=True, skip=before))
        layers.append(Affine("output", *_numbers(self.chain), (0,), layers[-1].name))
        return layers


def _normed(norm: nn.BatchNorm1d, frames: Tensor) -> Tensor:
    """Over all frames of a batch; as rows, which costs half of what it does across them."""
    return norm(frames.flatten(0, 1)).view(frames.shape)  # type: ignore[no-any-return]


def _numbers(layer: nn.Linear) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weights = layer.weight.detach().double().numpy()
    bias = np.zeros(len(weights)) if layer.bias is None else layer.bias.detach().double().numpy()
    return weights, bias


def _folded(
    weights: NDArray[np.float64], bias: NDArray[np.float64], norm: nn.BatchNorm1d
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    assert norm.running_mean is not None  # noqa: S101 - for mypy: it tracks them
    assert norm.running_var is not None  # noqa: S101
    gain = norm.weight.detach().double().numpy() / np.sqrt(norm.running_var.double().numpy() + norm.eps)
    shift = norm.bias.detach().double().numpy() - norm.running_mean.double().numpy() * gain
    return weights * gain[:, None], bias * gain + shift
