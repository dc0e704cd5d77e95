"""The spoken lines: one WAV file (16 kHz, mono, 16 bit) for each `Line`, and the words in them.

Made by `provisioning/spoken-lines/build`, which reads `lines.json`; a scheme that records its own voice replaces
the files and the words. The voice model must know those of the sound check; nobody who hears them may think of a call.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.signals import Line

FOLDER = Path(__file__).parent


def line_path(line: Line) -> Path:
    """Where the recording of a line lies."""
    return FOLDER / f"{line.value}.wav"


def line_words(line: Line) -> tuple[str, ...]:
    """The words of a line, as a voice model spells them: in lower case and without points."""
    written: dict[str, str] = json.loads((FOLDER / "lines.json").read_text(encoding="utf-8"))
    return tuple(word.strip(".,!?") for word in written[line.value].lower().split())
