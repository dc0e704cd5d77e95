"""A model is trained on from its files, by real PyTorch: `provisioning/voice-model/build --check`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from voicemodel import assemble, chain, lexicon, rounds
from voicemodel.features import MELS
from voicemodel.layers import SUBSAMPLING, computed
from voicemodel.matrices import Stored
from voicemodel.network import UnitDropout
from voicemodel.onward import take_over
from voicemodel.reading import AnotherFile
from voicemodel.train import Trainer

from agent.voice.lexicon import BUNDLED_MODEL
from tests.provisioning.voice_model.training import (
    CHAPTERS,
    TINY,
    TINY_GROWN,
    WORDS,
    prepared,
    school,
    scored,
    settled,
    untrained,
)

if TYPE_CHECKING:
    from pathlib import Path

    from voicemodel.network import Network


def model_of(network: Network, folder: Path) -> Path:
    """The files of such a network."""
    even = np.full(39, 1 / 39)
    filler = assemble.Filler(even, np.tile(even, (39, 1)), 1.0)
    words = {word: ways for word, ways in lexicon.read().items() if word in {"help", "me", "please"}}
    assemble.assemble(folder, network.eval().as_kaldi(), words, filler, ["help me"], stored=Stored.WHOLE)
    return folder


def heard(seed: int = 1) -> list[torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    return [torch.randn(4, 250, MELS, generator=chance) * 10 for _ in range(4)]


def test_a_network_computes_what_the_model_does_that_it_took_over(tmp_path: Path) -> None:
    taught = settled(untrained(TINY_GROWN))
    model = model_of(taught, tmp_path / "model")
    network = untrained(TINY_GROWN)
    with torch.no_grad():
        network.mean += 0.3  # what it hears differs from what the model's training heard
        network.scale *= 2
    take_over(network, model, heard())
    assert network.training
    network.eval()
    cepstra = heard(2)[0]
    torch.testing.assert_close(scored(network, cepstra), scored(taught, cepstra), atol=1e-3, rtol=1e-3)


def test_it_computes_nearly_the_same_while_it_is_trained(tmp_path: Path) -> None:
    taught = settled(untrained(TINY_GROWN))
    network = untrained(TINY_GROWN)
    take_over(network, model_of(taught, tmp_path / "model"), heard())
    for layer in network.modules():
        if isinstance(layer, UnitDropout):
            layer.eval()
    cepstra = heard(1)[0]
    wanted = scored(taught, cepstra)
    assert (scored(network, cepstra) - wanted).square().mean() < 0.01 * wanted.var()


def test_both_heads_begin_alike(tmp_path: Path) -> None:
    network = untrained(TINY)
    take_over(network, model_of(settled(untrained(TINY)), tmp_path / "model"), heard())
    assert torch.equal(network.cross_entropy.weight, network.chain.weight)


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnotherFile, match="another shape than the recipe"):
        take_over(untrained(TINY), model_of(untrained(TINY_GROWN), tmp_path / "model"), heard())


def test_the_recipe_that_goes_on_takes_the_bundled_model() -> None:
    (only,) = rounds.ONWARD.rounds
    network = untrained(only.shape)
    take_over(network, BUNDLED_MODEL, heard()[:1])
    cepstra = heard(2)[0][:1]
    kaldis = computed(network.eval().as_kaldi(), cepstra[0].numpy())
    kaldis = kaldis[network.back : len(kaldis) - network.ahead : SUBSAMPLING]
    assert np.abs(kaldis - scored(network, cepstra)[0].numpy()).max() < 1e-3


def test_a_build_that_goes_on_from_a_model_begins_with_it(tmp_path: Path) -> None:
    taught = settled(untrained())
    model = model_of(taught, tmp_path / "model")
    still = rounds.Round(1, 0.0, TINY, (CHAPTERS,))
    given = rounds.trained(prepared(tmp_path / "work"), [still], None, onward=model)
    cepstra = heard()[0]
    # One step counts among what the normalisations know, a three hundredth of it (`train.AVERAGING`).
    assert (scored(given.eval(), cepstra) - scored(taught, cepstra)).abs().mean() < 0.05 * scored(taught, cepstra).std()


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ("nothing", "there is no model at"),
        ("broken", "is not there after byte"),
        ("small", "another shape than the recipe"),
    ],
)
def test_a_model_that_cannot_be_gone_on_from_is_told_in_a_sentence(tmp_path: Path, model: str, complaint: str) -> None:
    model_of(untrained(TINY), tmp_path / "small")
    (tmp_path / "broken/am").mkdir(parents=True)
    (tmp_path / "broken/am/final.mdl").write_bytes(b"nothing of the kind")
    command = [sys.executable, "-m", "voicemodel", "--onward", str(tmp_path / model), "--work", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_by_16_bits_a_network_learns_as_by_32() -> None:
    _, lessons = school(1)
    halved = Trainer(untrained(), chain.bigram([WORDS]), steps=1, rate=1e-3, aligned_steps=0, bfloat16=True)
    whole = Trainer(untrained(), chain.bigram([WORDS]), steps=1, rate=1e-3, aligned_steps=0)
    batch = lessons.next()
    torch.manual_seed(1)
    exact = whole.learn(batch)
    torch.manual_seed(1)
    rough = halved.learn(batch)
    assert rough == pytest.approx(exact, rel=0.02)
    assert rough != exact, "it multiplied by 32 bits"


def test_a_unit_is_left_out_for_a_whole_utterance_or_not_at_all() -> None:
    torch.manual_seed(2)
    dropout = UnitDropout(0.25)
    kept = dropout.train()(torch.ones(200, 30, 40))
    assert ((kept == 0).all(1) | (kept > 1).all(1)).all()
    assert (kept == 0).float().mean() == pytest.approx(0.25, abs=0.02)
    assert kept.mean() == pytest.approx(1.0, abs=0.03)
    assert torch.equal(dropout.eval()(kept), kept)


def test_a_training_that_began_with_another_model_is_not_continued(tmp_path: Path) -> None:
    models = []
    for name in "ab":
        models.append(tmp_path / name)
        (models[-1] / "am").mkdir(parents=True)
        (models[-1] / "am/final.mdl").write_text(name)
    work = tmp_path / "work"
    work.mkdir()
    rounds._claim(work, models[0])
    rounds._claim(work, models[0])
    for other in (models[1], None):
        with pytest.raises(rounds.AnotherTraining, match="began with another model"):
            rounds._claim(work, other)
    (work / "began-with").unlink()
    (work / "trained-0.pt").touch()
    with pytest.raises(rounds.AnotherTraining):
        rounds._claim(work, models[0])  # of a builder that did not note it: nobody knows
