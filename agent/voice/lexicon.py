"""Which words a voice model knows, read without loading it: quick enough for `safepoint check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.suggest import nearest
from agent.voice import manifest, symbols

if TYPE_CHECKING:
    from collections.abc import Collection

BUNDLED_MODEL = Path(__file__).parent / "model"
"""The small English model in the package; `provisioning/voice-model/README.md` says how it is made."""

UNKNOWN = "[unk]"
"""The filler word: any speech that is none of the grammar's phrases."""

_NEEDED_FILES = (
    ("am/final.mdl",),
    ("conf/model.conf",),
    ("conf/mfcc.conf", "conf/fbank.conf"),
    ("graph/HCLr.fst",),
    ("graph/Gr.fst",),
    ("graph/disambig_tid.int",),
)
"""What Vosk 0.3.45 needs for a grammar given at run time, one file of each group; with `graph/HCLG.fst` alone it would
ignore the grammar with no more than a log line (voice-model report, section 2)."""


class ModelUnusable(Exception):
    """The voice model is missing, incomplete or broken: name another one, or install it again."""


def require_files(model: Path) -> None:
    """Check that the folder holds what Vosk needs: on a missing file Vosk may end the whole process.

    Raises:
        ModelUnusable: the folder or a file is missing or empty, or cannot be looked at.
    """
    try:
        _require_files(model)
    except OSError as error:  # of others' folders, a worn card, or a name that no file can have
        msg = f"the voice model at {model} cannot be used: {error.filename} cannot be read: {error.strerror}"
        raise ModelUnusable(msg) from error


def _require_files(model: Path) -> None:
    if not model.is_dir():
        msg = f"there is no voice model at {model}: that folder does not exist"
        raise ModelUnusable(msg)
    for group in _NEEDED_FILES:
        if not any((model / name).is_file() and (model / name).stat().st_size for name in group):
            msg = f"the voice model at {model} cannot be used: {' or '.join(group)} is missing or empty"
            raise ModelUnusable(msg)
    if (model / "graph/HCLG.fst").exists():
        msg = (
            f"the voice model at {model} has a fixed vocabulary (graph/HCLG.fst): phrases need one with graph/HCLr.fst"
        )
        raise ModelUnusable(msg)


def require_sound(model: Path) -> None:
    """Check the folder's files, against their list of checksums too where the model has one.

    Raises:
        ModelUnusable: a file is missing, empty, or not as it was made.
    """
    require_files(model)
    try:
        damage = manifest.damage(model)
    except OSError as error:
        damage = f"{error.filename} cannot be read: {error.strerror}"
    if damage:
        msg = f"the voice model at {model} is damaged: {damage}; install it again or name another one"
        raise ModelUnusable(msg)


def vocabulary(model: Path) -> frozenset[str]:
    """The words that this model can hear.

    They stand in `graph/words.txt`, or, as in vosk-model-small-en-us-0.15, inside `graph/Gr.fst`.

    Raises:
        ModelUnusable: the model is missing, incomplete or damaged; the message is one sentence.
    """
    require_sound(model)
    listed = model / "graph/words.txt"
    try:
        if listed.is_file():
            words = [line.split()[0] for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()]
        else:
            words = symbols.output_symbols(model / "graph/Gr.fst")
    except (OSError, ValueError) as error:
        msg = f"the voice model at {model} cannot be used: its word list cannot be read ({error})"
        raise ModelUnusable(msg) from error
    if UNKNOWN not in words:
        msg = (
            f"the voice model at {model} cannot be used: its word list lacks {UNKNOWN}, so all speech would be a phrase"
        )
        raise ModelUnusable(msg)
    return frozenset(word for word in words if word and word[0] not in "<[#!")


def unknown_words(text: str, known: Collection[str]) -> list[str]:
    """The words of a phrase that the model cannot hear; Vosk would drop them and listen for the rest alone."""
    return [word for word in text.split() if word not in known]


def nearest_words(word: str, known: Collection[str]) -> list[str]:
    """Up to three known words that are spelled like this one."""
    return nearest(word, known, most=3)
