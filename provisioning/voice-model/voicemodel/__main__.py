"""Builds a voice model from nothing but what Debian and PyPI carry: `provisioning/voice-model/build`.

Every step is stored below the work folder and not done again; with the same versions of the voices and of PyTorch the
same model comes out.
"""

from __future__ import annotations

import argparse
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import structlog
import torch

from agent.voice import evidence, manifest
from voicemodel import chain, corpus, lexicon, people, scenes, texts, train
from voicemodel.assemble import assemble
from voicemodel.features import cosine_transform
from voicemodel.filler import filler
from voicemodel.matrices import Stored
from voicemodel.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger()

CHAPTERS, SCENES = 4, 6000
"""Some 15 h of scenes in all; each is varied anew whenever it comes up."""
ROUNDS = ((2500, 1.6e-3), (2000, 1e-3))
"""Steps of each round and its highest rate; a round goes on with the running mean that the one before ended with."""
WIDTH, BOTTLENECK = 384, 96
"""1.2 million numbers, 2.3 MB: what a Pi computes in a thirtieth of real time, and training on two cores in an hour."""
SCALE = 0.75
"""The filler's (see README.md for the curve that it was picked from)."""
EVIDENCE = evidence.Evidence(even=4.0, weight=0.04)
"""What the phrase against this filler is worth beside the confidence (README.md, "A second evidence"); they hold for
this `SCALE` only."""


def speech(folder: Path) -> None:
    """Let every engine say its share."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        made = [pool.submit(corpus.make, folder, engine, count) for engine, count in corpus.SHARES.items()]
        for one in made:
            one.result()


def chapters(folder: Path, speech: Path, recordings: Path | None) -> list[Path]:
    """Make the chapters that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}.npz" for number in range(CHAPTERS)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        made = [
            pool.submit(_chapter, path, number, speech, recordings)
            for number, path in enumerate(paths)
            if not path.exists()
        ]
        for one in made:
            one.result()
    return paths


def _chapter(path: Path, number: int, speech: Path, recordings: Path | None) -> None:
    recorded = people.recordings(recordings, lexicon.read()) if recordings else []
    scenes.make(number, list(corpus.read(speech)), people.places(recorded), SCENES).save(path)
    log.info("chapter", number=number)


def trained(folder: Path, paths: Sequence[Path], entries: Sequence[corpus.Entry]) -> Network:
    """The network, trained on these chapters round by round, or read from where it was stored."""
    torch.manual_seed(0)
    cepstra = scenes.Chapter.load(paths[0]).mels[:200_000].astype(np.float32) @ cosine_transform()
    mean, scale = torch.from_numpy(cepstra.mean(0)), torch.from_numpy(1 / (cepstra.std(0) + 1e-3))
    network = Network(mean.view(1, 1, -1), scale.view(1, 1, -1), WIDTH, BOTTLENECK)
    grammar = chain.bigram([entry.phones for entry in entries])
    said = [chain.sequence(entry.phones) for entry in entries]
    for number, (steps, rate) in enumerate(ROUNDS):
        stored = folder / f"trained-{number}.pt"
        if not stored.exists():
            trainer = train.Trainer(network, grammar, steps, rate, aligned_steps=0 if number else train.ALIGNED_STEPS)
            averaged = trainer.averaged.module
            keep = partial(_keep, averaged, stored)
            train.train(trainer, said, lambda turn: scenes.Chapter.load(paths[turn % len(paths)]), number + 1, keep)
            torch.save(averaged.state_dict(), stored)
        network.load_state_dict(torch.load(stored))
    return network


def _keep(network: torch.nn.Module, stored: Path, steps: int) -> None:
    """To see what was learned until then, build with such a file in the place of `stored`."""
    torch.save(network.state_dict(), stored.with_suffix(f".{steps:04d}"))


def main() -> None:
    """Build the model."""
    parser = argparse.ArgumentParser(prog="provisioning/voice-model/build", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/voice-model"), help="where the steps are stored")
    parser.add_argument("--out", type=Path, default=Path("build/voice-model/model"), help="the model's folder")
    parser.add_argument("--recordings", type=Path, help="people's recordings, to borrow their rooms")
    parser.add_argument(
        "--bits",
        type=int,
        choices=sorted(stored.value for stored in Stored),
        default=Stored.TWO_BYTES.value,
        help="of each weight in the model's file (16)",
    )
    asked = parser.parse_args()
    if asked.recordings and not asked.recordings.is_dir():
        parser.error(f"--recordings: there is no folder {asked.recordings}")
    said = lexicon.read()
    speech(asked.work / "speech")
    entries = list(corpus.read(asked.work / "speech"))
    paths = chapters(asked.work / "chapters", asked.work / "speech", asked.recordings)
    network = trained(asked.work, paths, entries)
    part = asked.out.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    layers = network.eval().as_kaldi()
    assemble(part, layers, said, filler(said, SCALE), texts.phrases("trained"), stored=Stored(asked.bits))
    evidence.write(part, EVIDENCE)
    manifest.write(part)
    shutil.rmtree(asked.out, ignore_errors=True)
    part.rename(asked.out)
    log.info("model", folder=str(asked.out), parts=sum(len(files) for _, _, files in os.walk(asked.out)))


if __name__ == "__main__":
    main()
