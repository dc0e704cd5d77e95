"""Builds a voice model from nothing but what Debian, PyPI and npm carry: `provisioning/voice-model/build`.

Every step is stored below the work folder and not done again; with the same versions of the voices and of PyTorch the
same model comes out.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import structlog
import torch

from agent.voice import manifest
from voicemodel import corpus, lexicon, rounds, texts
from voicemodel.assemble import assemble
from voicemodel.filler import filler
from voicemodel.matrices import Stored
from voicemodel.onward import numbers_of
from voicemodel.reading import AnotherFile
from voicemodel.workers import workers

log = structlog.get_logger()

SCALE = 0.67
"""The filler's (see README.md for the curve that it was picked from)."""


def speech(folder: Path, part: corpus.Part) -> None:
    """Let every engine say its share."""
    with workers() as pool:
        made = [pool.submit(corpus.make, folder, engine, part) for engine in corpus.SHARES]
        for one in made:
            one.result()


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="provisioning/voice-model/build", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/voice-model"), help="where the steps are stored")
    parser.add_argument("--out", type=Path, default=Path("build/voice-model/model"), help="the model's folder")
    parser.add_argument("--recordings", type=Path, help="people's recordings, to borrow their rooms")
    parser.add_argument("--recipe", choices=rounds.RECIPES, default="small", help="how it is trained (small)")
    parser.add_argument(
        "--onward", type=Path, metavar="MODEL", help="train this model of a large network on, instead of from nothing"
    )
    parser.add_argument("--steps", type=int, help="of the recipe's last round; may change while it is stopped")
    parser.add_argument("--threads", type=int, default=1, help="that a training step computes with (1)")
    parser.add_argument(
        "--bfloat16", action="store_true", help="multiply in bfloat16: faster on processors that have it"
    )
    parser.add_argument("--examined", action="store_true", help="watch the objective on held-out voices, too")
    parser.add_argument(
        "--bits",
        type=int,
        choices=sorted(stored.value for stored in Stored),
        default=Stored.TWO_BYTES.value,
        help="of each weight in the model's file (16)",
    )
    return parser


def main() -> None:
    """Build the model."""
    parser = arguments()
    asked = parser.parse_args()
    if asked.recordings and not asked.recordings.is_dir():
        parser.error(f"--recordings: there is no folder {asked.recordings}")
    if asked.steps is not None and asked.steps < 1:
        parser.error(f"--steps: {asked.steps} are none")
    if asked.onward:
        try:
            numbers_of(asked.onward, rounds.ONWARD.rounds[0].shape)  # before all the speech
        except FileNotFoundError:
            parser.error(f"--onward: there is no model at {asked.onward}")
        except AnotherFile as other:
            parser.error(f"--onward: {asked.onward} cannot be trained on: {other}")
    torch.set_num_threads(asked.threads)
    known = lexicon.read()
    try:
        said = lexicon.completed(known, texts.all_words())
    except ValueError as unsaid:
        parser.error(str(unsaid))
    if new := sorted(said.keys() - known.keys()):
        lexicon.write(said)
        log.info("new_words", words=new)
    recipe = rounds.ONWARD if asked.onward else rounds.RECIPES[asked.recipe]
    speech(asked.work / "speech", recipe.speech)
    try:
        network = rounds.trained(
            asked.work,
            rounds.with_last_steps(recipe.rounds, asked.steps) if asked.steps else recipe.rounds,
            asked.recordings,
            examined=asked.examined,
            bfloat16=asked.bfloat16,
            onward=asked.onward,
        )
    except rounds.AnotherTraining as other:
        parser.error(f"{other}; take another --work folder")
    part = asked.out.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    layers = network.eval().as_kaldi()
    assemble(part, layers, said, filler(said, SCALE), texts.phrases("trained"), stored=Stored(asked.bits))
    manifest.write(part)
    shutil.rmtree(asked.out, ignore_errors=True)
    part.rename(asked.out)
    log.info("model", folder=str(asked.out), parts=sum(len(files) for _, _, files in os.walk(asked.out)))


if __name__ == "__main__":
    main()
