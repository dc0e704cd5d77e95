"""How a network is trained, by real PyTorch: `provisioning/voice-model/build --check`.

No part of the default tests: PyTorch is the builder's alone.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from voicemodel import chain, corpus, noises, rounds, scenes, voices
from voicemodel.checkpoint import Checkpoint
from voicemodel.features import MELS
from voicemodel.growth import grown
from voicemodel.layers import SUBSAMPLING, computed
from voicemodel.lessons import Lessons
from voicemodel.network import Network, Shape
from voicemodel.train import Trainer, train

if TYPE_CHECKING:
    from numpy.typing import NDArray

TINY = Shape(24, 8)
TINY_GROWN = Shape(40, 12, memory=(9, 18))
WORDS = (("hh", "eh", "l", "p"), ("m", "iy"), ("p", "l", "iy", "z"))
SCENES = 60
CHAPTERS = rounds.Chapters("chapters", 2, scenes.STREET)


def chapter(seed: int) -> scenes.Chapter:
    """Scenes of noise that is said to be words; there is nothing to learn from them, and a training learns from it."""
    chance = np.random.default_rng(seed)
    frames = chance.integers(350, 900, SCENES).astype(np.int32)
    mels = chance.normal(8, 3, (int(frames.sum()), MELS)).astype(np.float16)
    return scenes.Chapter(mels, frames, chance.integers(-1, len(WORDS), SCENES).astype(np.int32))


def untrained(shape: Shape = TINY) -> Network:
    torch.manual_seed(5)
    return Network(torch.full((1, 1, MELS), 0.5), torch.full((1, 1, MELS), 0.1), shape)


def school(steps: int) -> tuple[Trainer, Lessons]:
    """A training that comes from its aligner to LF-MMI, and from one chapter to the next, within a few steps."""
    network = untrained()
    grammar = chain.bigram([WORDS])
    said = [chain.sequence([word]) for word in WORDS]
    lessons = Lessons(lambda turn: chapter(turn % 2), said, 7, network)
    return Trainer(network, grammar, steps=steps, rate=1e-3, aligned_steps=3), lessons


def knows(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {**trainer.network.state_dict(), **{f"mean.{k}": v for k, v in trainer.averaged.state_dict().items()}}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("stopped_after", [1, 3, 6, 8])
def test_a_training_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path, stopped_after: int) -> None:
    steps = 10
    whole, lessons = school(steps)
    train(whole, lessons)

    begun, lessons = school(steps)
    while begun.step < stopped_after:
        begun.learn(lessons.next())
    checkpoint = Checkpoint(tmp_path / "a.checkpoint")
    checkpoint.store(begun.state(), lessons.state())
    assert not same(knows(begun), knows(whole))
    torch.manual_seed(99)  # another process has drawn other numbers

    later, lessons = school(steps)
    stored = checkpoint.load()
    assert stored is not None
    later.go_back_to(stored[0])
    lessons.go_back_to(stored[1])
    assert later.step == stopped_after
    train(later, lessons)
    assert same(knows(later), knows(whole))


CHILD = """
import sys
import time
from pathlib import Path
from tests.provisioning.voice_model import training
print("done", training.trained_in(Path(sys.argv[1])), flush=True)
"""


def trained_in(work: Path) -> int:
    """What the builder does with a work folder, on a training of some seconds; storing it after each step."""
    Checkpoint.due = True  # type: ignore[assignment,method-assign]
    one = rounds.Round(12, 1e-3, TINY, (CHAPTERS,))
    rounds.trained(work, [one, rounds.Round(12, 1e-3, TINY_GROWN, (CHAPTERS,))], None)
    return 0


def prepared(work: Path) -> Path:
    """A work folder whose speech and scenes are there."""
    (work / "speech").mkdir(parents=True)
    (work / "chapters").mkdir()
    lines = [json.dumps({"text": "x", "phones": [" ".join(word)], "samples": 100}) + "\n" for word in WORDS]
    (work / "speech/flite.jsonl").write_text("".join(lines))
    (work / "speech/flite.raw").write_bytes(bytes(200 * len(WORDS)))
    for number in range(CHAPTERS.count):
        chapter(number).save(work / f"chapters/{number:03d}.npz")
    return work


def begun(work: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(work)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_build_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = prepared(tmp_path / "whole")
    with begun(whole) as child:
        told = child.communicate()[0]
        assert child.returncode == 0, told

    killed = prepared(tmp_path / "killed")
    kills = 0
    for stop_at in ("steps=2", "steps=7", "steps=4", "steps=11"):  # the latter two in the second round
        with begun(killed) as child:
            assert child.stdout
            for line in child.stdout:
                if "stored" in line and f"{stop_at}\n" in line.replace("\x1b[0m", ""):
                    child.send_signal(signal.SIGKILL)
                    kills += 1
                    break
            child.wait()
        if stop_at == "steps=7":
            (left,) = (path.name for path in killed.glob("*.checkpoint"))
            assert left == "trained-0.checkpoint"
    assert kills == 4
    with begun(killed) as child:
        told = child.communicate()[0]
        assert child.returncode == 0, told
    assert "goes_on" in told
    for name in ("trained-0.pt", "trained-1.pt"):
        assert same(torch.load(killed / name), torch.load(whole / name)), name
    assert not list(killed.glob("*.checkpoint"))


def works(command_line: Path) -> bool:
    """Whether that process is there; one that died and was not waited for yet has no command line."""
    try:
        return bool(command_line.read_text())
    except OSError:
        return False


def test_workers_end_with_a_build_that_is_killed() -> None:
    build = "import os, time; from voicemodel.workers import workers\npool = workers()\n"
    build += "print(pool.submit(os.getpid).result(), flush=True); pool.submit(time.sleep, 600).result()"
    with subprocess.Popen([sys.executable, "-c", build], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        worker = Path(f"/proc/{int(child.stdout.readline())}/cmdline")
        assert works(worker)
        child.kill()
        child.wait()
        end_s = time.monotonic() + 60
        while works(worker):
            assert time.monotonic() < end_s, "it works on"
            time.sleep(0.01)


def test_a_checkpoint_of_another_network_is_refused_by_its_name(tmp_path: Path) -> None:
    work = prepared(tmp_path / "work")
    trainer, lessons = school(4)
    Checkpoint(work / "trained-0.checkpoint").store(trainer.state(), lessons.state())
    with pytest.raises(rounds.AnotherTraining, match=r"trained-0\.checkpoint is of another network"):
        rounds.trained(work, [rounds.Round(4, 1e-3, Shape(32, 8), (CHAPTERS,))], None)


def test_a_round_may_give_a_network_on_the_way_from_what_it_began_with() -> None:
    began = untrained().state_dict()
    ended = {name: value + 1 for name, value in began.items()}
    ended["first_norm.num_batches_tracked"] += 7
    between = rounds.between(began, ended, 0.25)
    torch.testing.assert_close(between["chain.bias"], 0.75 * began["chain.bias"] + 0.25 * ended["chain.bias"])
    assert between["first_norm.num_batches_tracked"] == 8, "a count has no half"
    assert all(torch.equal(rounds.between(began, ended, 1.0)[name], value) for name, value in ended.items())


def test_a_build_gives_the_network_that_its_rounds_share_asks_for(tmp_path: Path) -> None:
    work = prepared(tmp_path)
    first, second = (rounds.Round(3, 1e-3, TINY, (CHAPTERS,), share) for share in (1.0, 0.5))
    given = rounds.trained(work, [first, second], None).state_dict()
    began, ended = (torch.load(work / f"trained-{number}.pt") for number in (0, 1))
    assert not torch.equal(began["chain.bias"], ended["chain.bias"])
    torch.testing.assert_close(given["chain.bias"], (began["chain.bias"] + ended["chain.bias"]) / 2)


def test_scenes_of_all_kinds_come_in_turn() -> None:
    crowded, street = [Path(f"c{number}") for number in range(3)], [Path("s0"), Path("s1")]
    assert [path.name for path in rounds.in_turn([crowded, street])] == ["c0", "s0", "c1", "s1", "c2"]


def scored(network: Network, cepstra: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        scores: torch.Tensor = network(cepstra)[0]
        return scores


def settled(network: Network) -> Network:
    """Its normalisations know what comes."""
    network.train()
    for seed in range(30):
        network(torch.randn(4, 200, MELS, generator=torch.Generator().manual_seed(seed)) * 10)
    network.eval()
    return network


def test_a_network_that_grew_wider_computes_what_it_did() -> None:
    small = settled(untrained())
    large = grown(small, Shape(40, 12)).eval()
    cepstra = torch.randn(2, 150, MELS) * 10
    assert torch.allclose(scored(large, cepstra), scored(small, cepstra), atol=1e-4)


def test_layers_of_memory_add_little_at_first() -> None:
    small = settled(untrained())
    large = grown(small, TINY_GROWN).eval()
    cepstra = torch.randn(2, 150, MELS) * 10
    later = (large.back - small.back) // SUBSAMPLING
    before, after = scored(small, cepstra)[:, later:], scored(large, cepstra)
    assert (after - before).abs().mean() < 0.1 * before.std()


def test_all_that_is_new_learns_from_the_first_steps() -> None:
    torch.manual_seed(1)
    small = settled(untrained())
    large = grown(small, TINY_GROWN).train()
    begins = {name: value.detach().clone() for name, value in large.named_parameters()}
    optimiser = torch.optim.SGD(large.parameters(), lr=0.1)
    for _ in range(3):  # what is behind weights of 0 learns as soon as these have
        optimiser.zero_grad()
        scores, crossed = large(torch.randn(4, 200, MELS) * 10)
        (scores.square().mean() + crossed.square().mean()).backward()
        optimiser.step()
    for name, value in large.named_parameters():
        if name.endswith("affine.weight") or name in {"chain.weight", "cross_entropy.weight"}:
            still = ((value - begins[name]).abs() == 0).float().mean()
            assert still < 0.05, name


@pytest.mark.parametrize("shape", [TINY, TINY_GROWN])
def test_kaldis_layers_compute_what_the_network_does(shape: Shape) -> None:
    network = settled(untrained(shape))
    cepstra = torch.randn(1, 200, MELS) * 10
    ours = scored(network, cepstra)[0].numpy()
    kaldis = computed(network.as_kaldi(), cepstra[0].numpy())
    kaldis = kaldis[network.back : len(kaldis) - network.ahead : SUBSAMPLING]
    assert len(kaldis) == len(ours)
    assert np.abs(kaldis - ours).max() < 1e-3


def test_in_a_crowd_everybody_goes_on_talking_and_says_something_new() -> None:
    said: list[float] = []

    def speech(chance: np.random.Generator) -> NDArray[np.float32]:
        said.append(float(len(said)))
        return chance.normal(0, 1, 8000).astype(np.float32)

    sound = noises.noise(np.random.default_rng(3), "crowd", 160_000, speech)
    assert sound.shape == (160_000,)
    assert sound.std() == pytest.approx(1, rel=1e-3)
    quietest = np.abs(sound.reshape(-1, 32_000)).max(1).min()
    assert quietest > 0.5, "two seconds in which nobody talks"
    assert len(said) >= 2 * 160_000 / (8000 + 16_000)


def test_over_talk_a_call_is_as_far_above_it_as_it_must_be_to_be_told_apart() -> None:
    chance = np.random.default_rng(4)
    talk = scenes.Noise(np.ones(100, np.float32), scenes.CROWDED.talk_snr_db)
    wind = scenes.Noise(-np.ones(100, np.float32), scenes.CROWDED.snr_db)
    drawn = [scenes._noise(chance, [talk, wind], 50) for _ in range(400)]
    over_talk = [snr_db for snr_db, part in drawn if part.mean() > 0]
    over_wind = [snr_db for snr_db, part in drawn if part.mean() < 0]
    assert min(over_talk) >= scenes.CROWDED.talk_snr_db[0]
    assert min(over_wind) < scenes.CROWDED.talk_snr_db[0] - 3
    assert len(over_talk) > 100
    assert len(over_wind) > 100


@pytest.mark.parametrize("shape", [Shape(20, 8), Shape(24, 4), Shape(24, 8, first=128)])
def test_a_network_does_not_grow_smaller(shape: Shape) -> None:
    with pytest.raises(ValueError, match="does not grow to"):
        grown(untrained(), shape)


def test_every_engine_of_the_corpus_has_its_share_of_the_scenes() -> None:
    assert set(scenes.MIX) == set(corpus.SHARES) == set(voices.TRAINING)
