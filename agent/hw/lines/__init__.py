"""The spoken lines: one WAV file (16 kHz, mono, 16 bit) for each `Line`, and the words in them.

Made by `provisioning/spoken-lines/build`, which reads `lines.json`; a scheme that records its own voice replaces
the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.signals import Line

FOLDER = Path(__file__).parent


def line_path(line: Line) -> Path:
    """Where the recording of a line lies."""
    return FOLDER / f"{line.value}.wav"
