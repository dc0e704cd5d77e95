"""A model with a list of checksums is used as it was made, or not at all."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable, vocabulary

FILES = sorted(path.relative_to(BUNDLED_MODEL) for path in BUNDLED_MODEL.rglob("*") if path.is_file())
PARTS = [path for path in FILES if path.name != manifest.NAME]
CUTS = (0.001, 0.1, 0.5, 0.9)
FLIPS = 8


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model that may be broken."""
    return shutil.copytree(BUNDLED_MODEL, tmp_path / "model")


def refusal(model: Path) -> str:
    """The one sentence that says why a model is not used."""
    with pytest.raises(ModelUnusable) as refused:
        vocabulary(model)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_bundled_model_has_its_list_and_is_as_it_was_made() -> None:
    assert Path(manifest.NAME) in FILES, "the voice-model builder writes it: agent.voice.manifest.write(folder)"
    assert manifest.damage(BUNDLED_MODEL) is None


def test_the_list_is_what_sha256sum_checks(model: Path) -> None:
    manifest.write(model)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", manifest.NAME], cwd=model, check=True)


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_whatever_befalls_a_file_it_is_named(model: Path, part: Path) -> None:
    """Also what Vosk loads without a word: flipped bits in the weights, a word list cut at the end of a line."""
    whole = (model / part).read_bytes()
    rng = random.Random(str(part))
    flipped = []
    for _ in range(FLIPS):
        broken = bytearray(whole)
        broken[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        flipped.append(bytes(broken))
    cut = [whole[: int(len(whole) * share)] for share in CUTS]
    for content in (b"", whole[:-1], *cut, *flipped, rng.randbytes(len(whole)), whole + b"\n"):
        (model / part).write_bytes(content)
        assert str(part) in refusal(model)
    (model / part).unlink()
    assert str(part) in refusal(model)


@pytest.mark.parametrize(("one", "other"), [("graph/HCLr.fst", "graph/Gr.fst"), ("conf/mfcc.conf", "conf/model.conf")])
def test_files_that_changed_places_are_named(model: Path, one: str, other: str) -> None:
    (model / one).rename(model / "aside")
    (model / other).rename(model / one)
    (model / "aside").rename(model / other)
    assert f"{min(one, other)} is not as it was made" in refusal(model)


def test_a_file_too_many_is_named(model: Path) -> None:
    (model / "conf/pitch.conf").write_text("--sample-frequency=8000\n")
    assert "conf/pitch.conf does not belong to it" in refusal(model)


@pytest.mark.parametrize("broken", [b"", b"\xff\x00", b"0123  am/final.mdl\n", b"a" * (manifest.MAX_BYTES + 2)])
def test_a_damaged_list_is_damage(model: Path, broken: bytes) -> None:
    (model / manifest.NAME).write_bytes(broken)
    assert "its list of checksums (SHA256SUMS) is damaged" in refusal(model)


def test_a_model_from_elsewhere_needs_no_list(model: Path) -> None:
    (model / manifest.NAME).unlink()
    assert "help" in vocabulary(model)
