"""Kaldi's binary files, as far as Vosk reads them: the transition model and the network of `am/final.mdl`.

Byte for byte from the voice-model report, section 3. A token is ASCII and one space; an integer is a byte 4 and four
bytes, little endian; what matrices look like is in `matrices.py`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemodel.layers import SKIP
from voicemodel.matrices import Stored, matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike

    from voicemodel.layers import Affine

HALF = float(np.log(0.5))


def token(text: str) -> bytes:
    """A token."""
    return text.encode() + b" "


def integer(value: int) -> bytes:
    """A 32-bit integer."""
    return b"\x04" + struct.pack("<i", value)


def number(value: float) -> bytes:
    """A 32-bit float."""
    return b"\x04" + struct.pack("<f", value)


def double(value: float) -> bytes:
    """A 64-bit float."""
    return b"\x08" + struct.pack("<d", value)


def integers(values: Sequence[int]) -> bytes:
    """A vector of integers."""
    return b"\x04" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes()


def vector(values: ArrayLike) -> bytes:
    """A vector of floats."""
    row = np.asarray(values, "<f4")
    return b"FV " + integer(len(row)) + row.tobytes()


@dataclass(frozen=True)
class Transition:
    """A phone's one emitting state: an output for its first frame, another for all later ones."""

    phone: int
    first: int
    later: int


class TransitionModel:
    """The phones and their transition ids, which the graph's arcs carry."""

    def __init__(self, transitions: Iterable[Transition]) -> None:
        self._sorted = sorted(transitions, key=lambda one: (one.phone, one.first, one.later))
        self._place = {one.phone: place for place, one in enumerate(self._sorted)}

    def stay(self, phone: int) -> int:
        """The transition id of a later frame of this phone."""
        return 2 * self._place[phone] + 1

    def enter(self, phone: int) -> int:
        """The transition id of the first frame of this phone: what Kaldi calls forward, reordered."""
        return 2 * self._place[phone] + 2

    @property
    def count(self) -> int:
        """The highest transition id."""
        return 2 * len(self._sorted)

    def encoded(self) -> bytes:
        """As in `final.mdl`."""
        phones = [one.phone for one in self._sorted]
        topology = [-1] * (max(phones) + 1)
        for phone in phones:
            topology[phone] = 0
        return b"".join(
            [
                token("<TransitionModel>") + token("<Topology>") + integers(phones) + integers(topology),
                integer(-1) + integer(1) + integer(2),  # the format with self-loops apart; one entry of two states
                integer(0) + integer(1) + integer(2) + integer(0) + number(0.5) + integer(1) + number(0.5),
                integer(-1) + integer(-1) + integer(0),  # the second state is the end
                token("</Topology>") + token("<Tuples>") + integer(len(phones)),
                *(integer(one.phone) + integer(0) + integer(one.first) + integer(one.later) for one in self._sorted),
                token("</Tuples>") + token("<LogProbs>") + vector([0.0] + [HALF] * self.count),
                token("</LogProbs>") + token("</TransitionModel>"),
            ]
        )


def write_acoustic_model(
    path: Path, transitions: TransitionModel, layers: Sequence[Affine], inputs: int, stored: Stored
) -> None:
    """Write `final.mdl`."""
    config = [f"input-node name=input dim={inputs}"]
    components: list[bytes] = []
    named = {"input": "input"}
    for layer in layers:
        source = named[layer.source]
        config.append(
            f"component-node name={layer.name}.affine component={layer.name}.affine input={_spliced(source, layer)}"
        )
        components.append(_affine(f"{layer.name}.affine", layer, stored))
        result = f"{layer.name}.affine"
        if layer.relu:
            config.append(f"component-node name={layer.name}.relu component={layer.name}.relu input={result}")
            components.append(_relu(f"{layer.name}.relu", len(layer.bias)))
            result = f"{layer.name}.relu"
        if layer.skip:
            summed = f"Sum(Scale({SKIP}, {named[layer.skip]}), {result})"
            config.append(f"component-node name={layer.name}.sum component={layer.name}.sum input={summed}")
            components.append(_passed_on(f"{layer.name}.sum", len(layer.bias)))
            result = f"{layer.name}.sum"
        named[layer.name] = result
    config.append(f"output-node name=output input={named[layers[-1].name]} objective=linear")
    path.write_bytes(
        b"".join(
            [
                b"\0B" + transitions.encoded() + token("<Nnet3>") + b"\n",
                "".join(line + "\n" for line in config).encode() + b"\n",
                token("<NumComponents>") + integer(len(components)),
                *components,
                token("</Nnet3>"),
                # the reader finds out by itself how far the network looks; pseudo likelihoods need no priors
                token("<LeftContext>") + integer(0) + token("<RightContext>") + integer(0),
                token("<Priors>") + vector([]),
            ]
        )
    )


def _spliced(source: str, layer: Affine) -> str:
    parts = [f"Offset({source}, {offset})" if offset else source for offset in layer.offsets]
    return parts[0] if len(parts) == 1 else f"Append({', '.join(parts)})"


def _affine(name: str, layer: Affine, stored: Stored) -> bytes:
    return b"".join(
        [
            token("<ComponentName>") + token(name) + token("<AffineComponent>"),
            token("<LearningRate>") + number(0.001),
            token("<LinearParams>") + matrix(layer.weights, stored),
            token("<BiasParams>") + vector(layer.bias),
            token("</AffineComponent>"),
        ]
    )


def _relu(name: str, width: int) -> bytes:
    return b"".join(
        [
            token("<ComponentName>") + token(name) + token("<RectifiedLinearComponent>"),
            token("<Dim>") + integer(width) + token("<ValueAvg>") + vector([]) + token("<DerivAvg>") + vector([]),
            token("<Count>") + double(0) + token("</RectifiedLinearComponent>"),
        ]
    )


def _passed_on(name: str, width: int) -> bytes:
    return b"".join(
        [
            token("<ComponentName>") + token(name) + token("<NoOpComponent>"),
            token("<Dim>") + integer(width) + token("<BackpropScale>") + number(1.0) + token("</NoOpComponent>"),
        ]
    )
