"""A network that begins with what a model has learned: of the files that Vosk loads, to train it further.

They hold no normalisations, which were folded into the weights, and not the head that only training needs. Both are
made anew, from what the network hears.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from voicemodel.features import MELS
from voicemodel.network import Factored, Network
from voicemodel.reading import AnotherFile, affines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from torch import Tensor

    from voicemodel.network import Shape, Spliced
    from voicemodel.reading import Bias, Weights

LEAST_SPREAD = 1e-2
"""Of what a unit says of different frames; one that says nothing is not made louder than this."""


def numbers_of(model: Path, shape: Shape) -> dict[str, tuple[Weights, Bias]]:
    """The numbers of each affine layer of a model whose network has this shape.

    Raises:
        AnotherFile: the model was not made here, or has another shape.
        OSError: there is none.
    """
    numbers = affines(model / "am/final.mdl")
    like_it = Network(torch.zeros(1, 1, MELS), torch.ones(1, 1, MELS), shape).as_kaldi()
    if {layer.name: layer.weights.shape for layer in like_it} != {
        name: part[0].shape for name, part in numbers.items()
    }:
        msg = f"{model} has a network of another shape than the recipe"
        raise AnotherFile(msg)
    return numbers


def take_over(network: Network, model: Path, heard: Iterable[Tensor]) -> None:
    """Let a network of the model's shape compute what the model does.

    Args:
        network: Any numbers in it but those for its input are lost.
        model: The folder of a model that this builder made.
        heard: Batches of cepstra, to see how far each unit's output spreads.

    Raises:
        AnotherFile: the model was not made here, or has another shape.
        OSError: there is none.
    """
    numbers = numbers_of(model, network.shape)
    network.eval()
    with torch.no_grad():
        for name, linear in _linears(network):
            weights, bias = (torch.from_numpy(part.astype(np.float32)) for part in numbers[name])
            linear.weight.copy_(weights)
            if linear.bias is not None:
                linear.bias.copy_(bias)
        _unfold_input(network)
        for _, norm in _normalised(network):
            _pass_on(norm)
        for (layer, norm), (mean, spread) in zip(_normalised(network), _outputs(network, heard), strict=True):
            _normalise(layer.affine, norm, mean, spread)
        network.cross_entropy.load_state_dict(network.chain.state_dict())
    network.train()


def _linears(network: Network) -> Iterator[tuple[str, nn.Linear]]:
    """All layers with weights, by the names that `Network.as_kaldi` gives them."""
    yield "first", network.first.affine
    yield "second.into", network.second_into.affine
    yield "second", network.second_out.affine
    for number, layer in enumerate(_factored(network), 3):
        yield f"layer{number}.into", layer.into.affine
        yield f"layer{number}", layer.out.affine
    yield "output", network.chain


def _normalised(network: Network) -> Iterator[tuple[Spliced, nn.BatchNorm1d]]:
    yield network.first, network.first_norm
    yield network.second_out, network.second_norm
    for layer in _factored(network):
        yield layer.out, layer.norm


def _factored(network: Network) -> Iterator[Factored]:
    for layer in network.layers:
        assert isinstance(layer, Factored)  # noqa: S101 - for mypy: a ModuleList forgets
        yield layer


def _unfold_input(network: Network) -> None:
    """The model takes cepstra as they are, the network less their mean and by their scale."""
    linear, times = network.first.affine, len(network.first.offsets)
    mean, scale = (part.reshape(-1).repeat(times) for part in (network.mean, network.scale))
    linear.bias += linear.weight @ mean
    linear.weight /= scale


def _pass_on(norm: nn.BatchNorm1d) -> None:
    """Change nothing."""
    norm.reset_running_stats()
    assert norm.running_var is not None  # noqa: S101 - for mypy: it tracks it
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    norm.bias.zero_()


def _outputs(network: Network, heard: Iterable[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """The mean and the spread of each unit before its normalisation, in the order of `_normalised`."""
    norms = [norm for _, norm in _normalised(network)]
    sums = {norm: [torch.zeros(norm.num_features, dtype=torch.double) for _ in range(2)] for norm in norms}
    frames = dict.fromkeys(norms, 0)

    def listen(norm: nn.Module, given: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm1d)  # noqa: S101 - for mypy: it is hooked to nothing else
        units = given[0].double()
        sums[norm][0] += units.sum(0)
        sums[norm][1] += units.square().sum(0)
        frames[norm] += len(units)

    hooks = [norm.register_forward_pre_hook(listen) for norm in norms]
    for cepstra in heard:
        network(cepstra)
    for hook in hooks:
        hook.remove()
    means = [sums[norm][0] / frames[norm] for norm in norms]
    squares = [sums[norm][1] / frames[norm] for norm in norms]
    return [
        (mean.float(), (square - mean.square()).clamp_min(0).sqrt().float().clamp_min(LEAST_SPREAD))
        for mean, square in zip(means, squares, strict=True)
    ]


def _normalise(linear: nn.Linear, norm: nn.BatchNorm1d, mean: Tensor, spread: Tensor) -> None:
    """Each unit's output spreads by 1, and the normalisation gives it back what it had."""
    linear.weight /= spread[:, None]
    linear.bias /= spread
    assert norm.running_mean is not None  # noqa: S101 - for mypy: it tracks it
    norm.running_mean.copy_(mean / spread)
    norm.weight.copy_(spread)
    norm.bias.copy_(mean)
