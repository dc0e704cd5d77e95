"""From nothing to a trained network, round by round; a round goes on with what the one before ended with."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import structlog
import torch

from voicemodel import chain, corpus, lexicon, people, scenes, train
from voicemodel.checkpoint import Checkpoint
from voicemodel.examine import Examination
from voicemodel.features import cosine_transform
from voicemodel.growth import grown
from voicemodel.lessons import Lessons
from voicemodel.network import Network, Shape
from voicemodel.onward import take_over
from voicemodel.workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    Weights = Mapping[str, Tensor]

log = structlog.get_logger()

SCENES = 6000
"""In a chapter: some 4 h; each is varied anew whenever it comes up."""
TAKEN_OVER_BY = 20
"""Batches, to see how the units of a model's network spread."""


@dataclass(frozen=True)
class Chapters:
    """Scenes to learn from."""

    folder: str
    count: int
    around: scenes.Surroundings
    first: int = 0
    """The number, and with it the seed, of the first one."""


@dataclass(frozen=True)
class Round:
    """A part of the training."""

    steps: int
    rate: float
    """The highest."""
    shape: Shape
    chapters: tuple[Chapters, ...]
    """In turn, one of each."""
    share: float = 1.0
    """Of what it ends with, in the network that it gives; the rest is what it began with. Weights between the two know
    what both have learned, where the way was not too long (README.md)."""


@dataclass(frozen=True)
class Recipe:
    """What makes a network."""

    rounds: tuple[Round, ...]
    speech: corpus.Part = corpus.WHOLE
    """What is said in it."""


STREET = Chapters("chapters", 4, scenes.STREET)
CROWDED = Chapters("chapters-crowded", 6, scenes.CROWDED, first=100)
MORE_STREET = Chapters("chapters", 2, scenes.STREET, first=4)
MORE_CROWDED = Chapters("chapters-crowded", 4, scenes.CROWDED, first=106)
STREET_WITH_STRANGERS = Chapters("chapters", 2, scenes.STREET, first=6)
AMONG_TALKERS = Chapters("chapters-talkers", 4, scenes.AMONG_TALKERS, first=200)
LOUD_STREET = Chapters("chapters-loud", 8, scenes.LOUD_STREET, first=400)
OVER_TALK = Chapters("chapters-over-talk", 4, scenes.OVER_TALK, first=300)
STREET_ANEW = Chapters("chapters", 4, scenes.STREET, first=320)
SMALL = Shape(384, 96)
"""1.2 million numbers: what a Pi computes in a thirtieth of real time, and training on two cores in an hour."""
LARGE = Shape(640, 160, memory=(9, 18, 27))
"""3.9 million: what stays within 5 MB at 8 bits a number."""
RECIPES = {
    "small": Recipe((Round(2500, 1.6e-3, SMALL, (STREET,)), Round(2000, 1e-3, SMALL, (STREET,)))),
    "large": Recipe(
        (
            Round(2500, 1.6e-3, SMALL, (STREET,)),
            Round(2000, 1e-3, SMALL, (STREET,)),
            Round(1700, 1e-3, LARGE, (CROWDED, STREET)),
            Round(2000, 1e-3, LARGE, (MORE_CROWDED, MORE_STREET)),
            Round(2800, 1e-3, LARGE, (AMONG_TALKERS, STREET_WITH_STRANGERS), share=0.7),
        )
    ),
}
"""From nothing. The large network begins as the small one (`growth.py`): the first 4,500 steps cost a third."""
ONWARD = Recipe(
    (Round(5500, 1e-3, LARGE, (LOUD_STREET, OVER_TALK, STREET_ANEW)),),
    speech=corpus.Part(share=0.7, first=10_000),
)
"""From a model with a large network: an hour of speech and scenes, and one of training (README.md). The shipped one was
made so; to train it on itself, take another first utterance and other chapters, or it hears the same again."""


class AnotherTraining(Exception):
    """What is stored in the work folder is of another network, or began with another model."""


def made(work: Path, wanted: Chapters, recordings: Path | None) -> list[Path]:
    """These chapters, made where they are not there yet."""
    folder = work / wanted.folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}.npz" for number in range(wanted.first, wanted.first + wanted.count)]
    with workers() as pool:
        todo = [
            pool.submit(_chapter, path, wanted.first + place, work / "speech", recordings, wanted.around)
            for place, path in enumerate(paths)
            if not path.exists()
        ]
        for one in todo:
            one.result()
    return paths


def in_turn(kinds: Sequence[Sequence[Path]]) -> list[Path]:
    """One of each kind after the other, until there are no more."""
    return [path for paths in zip_longest(*kinds) for path in paths if path is not None]


def _chapter(path: Path, number: int, speech: Path, recordings: Path | None, around: scenes.Surroundings) -> None:
    recorded = people.recordings(recordings, lexicon.read(), tested=False) if recordings else []
    scenes.make(number, list(corpus.read(speech)), people.places(recorded), SCENES, around).save(path)
    log.info("chapter", number=number)


def trained(  # noqa: PLR0913 - what the command line asks for
    work: Path,
    rounds: Sequence[Round],
    recordings: Path | None,
    *,
    examined: bool = False,
    bfloat16: bool = False,
    onward: Path | None = None,
) -> Network:
    """The network after all rounds; what was done is read from where it was stored.

    Args:
        work: Where its speech is, and where it is stored.
        rounds: One after the other.
        recordings: Of people, to borrow their rooms.
        examined: Whether to watch it.
        bfloat16: Whether to multiply by so many bits.
        onward: The model that it begins with; None: with nothing.

    Raises:
        AnotherTraining: a network stored there has not the shape that its round has, or began with another model.
        AnotherFile: the model was not made here, or not with the shape of the first round.
    """
    entries = list(corpus.read(work / "speech"))
    grammar = chain.bigram([entry.phones for entry in entries])
    said = [chain.sequence(entry.phones) for entry in entries]
    torch.manual_seed(0)
    _claim(work, onward)
    network = _untrained(made(work, rounds[0].chapters[0], recordings)[0], rounds[0].shape)
    if onward:
        first = made(work, rounds[0].chapters[0], recordings)
        lessons = Lessons(partial(_turn, first), said, 0, network)
        take_over(network, onward, (lessons.next().cepstra for _ in range(TAKEN_OVER_BY)))
    for number, one in enumerate(rounds):
        if number:  # so that it is the same whether or not the rounds before were trained in this run
            torch.manual_seed(number)
        if one.shape != network.shape:
            network = grown(network, one.shape)
        stored = work / f"trained-{number}.pt"
        began = {name: value.clone() for name, value in network.state_dict().items()}
        if not stored.exists():
            paths = in_turn([made(work, chapters, recordings) for chapters in one.chapters])
            lessons = Lessons(partial(_turn, paths), said, number + 1, network)
            exam = Examination.made(work / "examination") if examined else None
            aligned = 0 if number or onward else train.ALIGNED_STEPS
            _train(network, one, grammar, lessons, stored, exam, aligned_steps=aligned, bfloat16=bfloat16)
        with _of_this_training(stored):
            network.load_state_dict(between(began, torch.load(stored), one.share))
    return network


def _claim(work: Path, onward: Path | None) -> None:
    """Note which model the training in this folder begins with, so that none is continued in the place of another.

    Raises:
        AnotherTraining: it began with another one.
    """
    begins_with = sha256((onward / "am/final.mdl").read_bytes()).hexdigest() if onward else "nothing"
    noted, begun = work / "began-with", any(work.glob("trained-*"))
    if (noted.read_text(encoding="ascii") if noted.exists() else begins_with if not begun else "") != begins_with:
        msg = f"the training in {work} began with another model"
        raise AnotherTraining(msg)
    noted.write_text(begins_with, encoding="ascii")


def between(began: Weights, ended: Weights, share: float) -> dict[str, Tensor]:
    """The weights so far on the way from the one to the other; of what only counts, the other's.

    Raises:
        RuntimeError: they are of networks of different shapes.
    """
    return {
        name: began[name].lerp(value, share) if value.is_floating_point() and share < 1 else value
        for name, value in ended.items()
    }


@contextmanager
def _of_this_training(stored: Path) -> Iterator[None]:
    """PyTorch tells of a network of another shape by a `RuntimeError`."""
    try:
        yield
    except RuntimeError as error:
        msg = f"{stored} is of another network than this recipe has there"
        raise AnotherTraining(msg) from error


def _untrained(chapter: Path, shape: Shape) -> Network:
    cepstra = scenes.Chapter.load(chapter).mels[:200_000].astype(np.float32) @ cosine_transform()
    mean, scale = torch.from_numpy(cepstra.mean(0)), torch.from_numpy(1 / (cepstra.std(0) + 1e-3))
    return Network(mean.view(1, 1, -1), scale.view(1, 1, -1), shape)


def _turn(paths: Sequence[Path], turn: int) -> scenes.Chapter:
    return scenes.Chapter.load(paths[turn % len(paths)])


def _train(  # noqa: PLR0913, PLR0917
    network: Network,
    one: Round,
    grammar: chain.Bigram,
    lessons: Lessons,
    stored: Path,
    exam: Examination | None,
    *,
    aligned_steps: int,
    bfloat16: bool,
) -> None:
    trainer = train.Trainer(
        network, grammar, steps=one.steps, rate=one.rate, aligned_steps=aligned_steps, bfloat16=bfloat16
    )
    averaged = trainer.averaged.module
    path = stored.with_suffix(".checkpoint")
    checkpoint = Checkpoint(path)
    begun = checkpoint.load()
    if begun:
        with _of_this_training(path):
            trainer.go_back_to(begun[0])
        lessons.go_back_to(begun[1])
        log.info("goes_on", steps=trainer.step)

    def keep(steps: int) -> None:
        """To see what was learned until then, build with such a file in the place of `stored`."""
        torch.save(averaged.state_dict(), stored.with_suffix(f".{steps:04d}"))
        if exam:
            found = exam.objectives(averaged, grammar)
            log.info("examined", steps=steps, **{name: round(value, 4) for name, value in found.items()})

    if exam and not begun:
        keep(0)
    train.train(trainer, lessons, checkpoint, keep)
    part = stored.with_suffix(".part")
    torch.save(averaged.state_dict(), part)
    part.replace(stored)
    checkpoint.remove()


def with_last_steps(rounds: Sequence[Round], steps: int) -> list[Round]:
    """The same rounds with a last one of so many steps."""
    return [*rounds[:-1], replace(rounds[-1], steps=steps)]
