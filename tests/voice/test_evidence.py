"""What the phrase against the filler is worth: the figures of a model, and what becomes of a confidence by them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from agent.voice import evidence
from agent.voice.decision import Phrase
from agent.voice.evidence import MOST, Evidence
from agent.voice.language import Language
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = Evidence(even=-1.0, per_letter=0.5, weight=0.04)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model, without its list of checksums: a model from elsewhere."""
    folder = tmp_path / "model"
    shutil.copytree(BUNDLED_MODEL, folder)
    (folder / "SHA256SUMS").unlink()
    return folder


def test_a_ratio_that_says_nothing_changes_nothing() -> None:
    assert GIVEN.gain(4.0, letters=10) == 0


def test_the_more_letters_a_phrase_has_the_better_it_must_fit() -> None:
    assert GIVEN.gain(4.0, letters=12) == pytest.approx(-0.04)


def test_each_nat_is_worth_the_same_down_to_where_no_confidence_is_left() -> None:
    assert GIVEN.gain(3.0, letters=10) == pytest.approx(-0.04)
    assert GIVEN.gain(-21.0, letters=10) == pytest.approx(-1.0)


def test_a_phrase_that_fits_perfectly_gains_no_more_than_the_most() -> None:
    assert GIVEN.gain(1000.0, letters=10) == MOST


def test_the_bundled_model_has_the_figures_that_its_builder_writes(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    found = evidence.read(BUNDLED_MODEL)
    assert found is not None
    evidence.write(tmp_path, found)
    assert evidence.read(tmp_path) == found


def test_a_model_from_elsewhere_has_none_and_is_judged_by_its_confidence_alone(model: Path) -> None:
    (model / evidence.FILE).unlink()
    assert evidence.read(model) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        json.dumps({"even": 4.0, "weight": 0.04}),
        json.dumps({"even": 4.0, "per_letter": 0.7}),
        json.dumps({"even": "much", "per_letter": 0.7, "weight": 0.04}),
        json.dumps({"even": None, "per_letter": 0.7, "weight": 0.04}),
        '{"even": NaN, "per_letter": 0.7, "weight": 0.04}',
        '{"even": 4.0, "per_letter": NaN, "weight": 0.04}',
        '{"even": 4.0, "per_letter": 0.7, "weight": Infinity}',
        json.dumps({"even": 4.0, "per_letter": 0.7, "weight": -0.04}),
    ],
)
def test_figures_that_are_none_make_the_model_unusable_in_one_sentence(model: Path, text: str) -> None:
    (model / evidence.FILE).write_text(text)
    with pytest.raises(
        ModelUnusable, match=r"evidence\.json must hold the numbers even, per_letter and weight"
    ) as refused:
        Language(model, [Phrase(("help", "me"), "help-me", 0.9)], ())
    assert str(model) in str(refused.value)
