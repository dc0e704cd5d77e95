"""A second language without a second model: the bundled one, whose sounds of "help me" are spelled in Polish.

So "pomóż mi" is said like "help me", and this model does not know the words "help" and "me".
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL

if TYPE_CHECKING:
    from pathlib import Path

_POLISH = {"help": "pomóż", "me": "mi"}


def polish_model(folder: Path) -> Path:
    """Make that model in this folder, which must not be there yet."""
    shutil.copytree(BUNDLED_MODEL, folder)
    listed = folder / "graph/words.txt"
    words = [line.split() for line in listed.read_text(encoding="utf-8").splitlines()]
    spelled = "".join(f"{_POLISH.get(word, word)} {number}\n" for word, number in words)
    listed.write_text(spelled, encoding="utf-8")
    manifest.write(folder)
    return folder
