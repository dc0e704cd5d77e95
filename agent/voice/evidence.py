"""What a voice model's total scores say beside its confidence: the second evidence for a phrase. Pure but for a file.

A confidence is a posterior among the few sentences of a grammar, and near 1 for most of what talk sets off. How much
better the phrase fits its sound than the filler does (any speech at all) is another question, which Vosk answers too:
the logarithm of that ratio moves the confidence. The longer a phrase, the more of it has to fit: what is asked grows
with its letters, which stand for its sounds (of other models' words no sounds are known). How far it moves is a matter
of the model, whose filler makes the scale, so the figures stand in the model's own folder, and the builder writes them
there. A model without that file, such as the ones that a field engineer fetches, is judged by its confidence alone:
nobody has measured its filler.
"""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, dataclass
from math import isfinite
from typing import TYPE_CHECKING

from agent.voice.lexicon import ModelUnusable

if TYPE_CHECKING:
    from pathlib import Path

FILE = "conf/evidence.json"
MOST = 0.2
"""A phrase gains no more confidence than this, however well it fits: an unsure word stays one. It loses without a
limit."""


@dataclass(frozen=True)
class Evidence:
    """How a log-likelihood ratio counts beside a confidence."""

    even: float
    """The ratio, in nats, that changes nothing; besides it `per_letter` for each letter of the phrase."""
    per_letter: float
    weight: float
    """Confidence gained or lost for each nat more or less."""

    def gain(self, ratio: float, letters: int) -> float:
        """What a phrase of so many letters gains that fits its sound so much better than the filler, or loses."""
        return min(MOST, self.weight * (ratio - self.even - self.per_letter * letters))


def read(model: Path) -> Evidence | None:
    """The figures in a model's folder; None if it has none.

    Raises:
        ModelUnusable: they are there, and cannot be used.
    """
    path = model / FILE
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        evidence = Evidence(float(given["even"]), float(given["per_letter"]), float(given["weight"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(model) from error
    if not all(map(isfinite, astuple(evidence))) or evidence.weight < 0:
        raise _unusable(model)
    return evidence


def write(model: Path, evidence: Evidence) -> None:
    """Put the figures into a model's folder.

    Raises:
        OSError: they cannot be written.
    """
    (model / FILE).write_text(f"{json.dumps(asdict(evidence))}\n", encoding="utf-8")


def _unusable(model: Path) -> ModelUnusable:
    return ModelUnusable(
        f"the voice model at {model} cannot be used: {FILE} must hold the numbers even, per_letter and weight "
        "(0 or more); "
        "install the model again"
    )
