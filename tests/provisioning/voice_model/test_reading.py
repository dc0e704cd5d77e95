"""What a model has learned is read from its files as it was written to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from voicemodel import assemble
from voicemodel.kaldi import write_acoustic_model
from voicemodel.layers import Affine
from voicemodel.matrices import Stored, matrix, read
from voicemodel.reading import AnotherFile, affines

from agent.voice.lexicon import BUNDLED_MODEL

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = BUNDLED_MODEL / "am/final.mdl"


def layers() -> list[Affine]:
    chance = np.random.default_rng(3)
    return [
        Affine("first", chance.normal(0, 1, (6, 10)), chance.normal(0, 1, 6), (-1, 1), "input", relu=True),
        Affine("second.into", chance.normal(0, 1, (3, 6)), np.zeros(3), (0,), "first"),
        Affine("second", chance.normal(0, 1, (6, 3)), chance.normal(0, 1, 6), (0,), "second.into", skip="first"),
        Affine("output", chance.normal(0, 1, (80, 6)), chance.normal(0, 1, 80), (0,), "second"),
    ]


@pytest.mark.parametrize("stored", Stored)
def test_every_layers_numbers_come_back_however_they_are_kept(tmp_path: Path, stored: Stored) -> None:
    written = layers()
    write_acoustic_model(tmp_path / "final.mdl", assemble.transition_model(), written, 5, stored)
    found = affines(tmp_path / "final.mdl")
    assert list(found) == [layer.name for layer in written]
    for layer in written:
        weights, bias = found[layer.name]
        assert (weights == read(matrix(layer.weights, stored))).all()
        assert (bias == layer.bias.astype(np.float32)).all()


def test_the_bundled_model_is_read_to_its_last_layer() -> None:
    found = affines(NETWORK)
    assert len(found) == 2 * 11 + 2
    assert found["output"][0].shape == (80, 640)
    assert sum(weights.size for weights, _ in found.values()) == pytest.approx(3.9e6, rel=0.01)


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.3, 0.9])
def test_a_file_that_breaks_off_is_refused(tmp_path: Path, share: float) -> None:
    data = NETWORK.read_bytes()
    (tmp_path / "final.mdl").write_bytes(data[: int(share * len(data))])
    with pytest.raises(AnotherFile):
        affines(tmp_path / "final.mdl")


def test_a_network_of_other_components_is_refused(tmp_path: Path) -> None:
    data = NETWORK.read_bytes().replace(b"<LearningRate> ", b"<MaxChange> ", 1)
    (tmp_path / "final.mdl").write_bytes(data)
    with pytest.raises(AnotherFile, match="LearningRate"):
        affines(tmp_path / "final.mdl")
