"""A larger network that begins with what a smaller one has learned.

What is new adds nothing at first: new units and bottlenecks begin with weights of chance before them and none after
them, so they learn from the first step on, and what the old ones do stays as it was. New layers at the end begin as
little more than their skip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from voicemodel.layers import SKIP
from voicemodel.network import Factored, Network

if TYPE_CHECKING:
    from torch import nn

    from voicemodel.network import Shape, Spliced

WHISPER = 0.02
"""How loud a new layer begins beside its skip. Not 0: a unit that never fires never learns to."""


def grown(small: Network, shape: Shape) -> Network:
    """A network of this shape that computes nearly what the small one does.

    Raises:
        ValueError: the shape is smaller in any way.
    """
    old = small.shape
    smaller = shape.width < old.width or shape.bottleneck < old.bottleneck or shape.first != old.first
    if smaller or shape.memory[: len(old.memory)] != old.memory:
        msg = f"{old} does not grow to {shape}"
        raise ValueError(msg)
    large = Network(small.mean, small.scale, shape)
    with torch.no_grad():
        _copy(large.first, small.first)
        _copy_norm(large.first_norm, small.first_norm)
        _copy(large.second_into, small.second_into)
        _copy(large.second_out, small.second_out)
        _copy_norm(large.second_norm, small.second_norm)
        new = list(large.layers)
        for layer, before in zip(new, small.layers, strict=False):
            assert isinstance(layer, Factored)  # noqa: S101 - for mypy: a ModuleList forgets
            assert isinstance(before, Factored)  # noqa: S101
            _copy(layer.into, before.into)
            _copy(layer.out, before.out)
            _copy_norm(layer.norm, before.norm)
        added = new[len(small.layers) :]
        for layer in added:
            assert isinstance(layer, Factored)  # noqa: S101
            layer.norm.weight.fill_(WHISPER)
        for head, old_head in ((large.chain, small.chain), (large.cross_entropy, small.cross_entropy)):
            head.weight.zero_()
            head.weight[:, : old.width] = old_head.weight / SKIP ** len(added)
            head.bias.copy_(old_head.bias)
    return large


def _copy(large: Spliced, small: Spliced) -> None:
    """Old outputs see old inputs as before and new ones not at all; new outputs see all of them by chance."""
    times = len(small.offsets)
    outputs = len(small.affine.weight)
    new, old = (layer.affine.weight.view(len(layer.affine.weight), times, -1) for layer in (large, small))
    new[:outputs] = 0
    new[:outputs, :, : old.shape[2]] = old
    if small.affine.bias is not None:
        large.affine.bias[:outputs] = small.affine.bias


def _copy_norm(large: nn.BatchNorm1d, small: nn.BatchNorm1d) -> None:
    units = small.num_features
    pairs = (
        (large.weight, small.weight),
        (large.bias, small.bias),
        (large.running_mean, small.running_mean),
        (large.running_var, small.running_var),
    )
    for new, old in pairs:
        assert new is not None  # noqa: S101 - for mypy: it tracks them
        assert old is not None  # noqa: S101
        new[:units] = old
