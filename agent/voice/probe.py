"""Tries a voice model in a process of its own: Vosk ends the whole process on some broken models.

It also goes on without its grammar, hearing phrases nowhere, when a graph file is cut short, and says so only in a log
line that its log level does not silence.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.lexicon import UNKNOWN, ModelUnusable, require_files

if TYPE_CHECKING:
    from pathlib import Path

LOADED_WITHIN_S = 60.0
"""The largest English model loads in under 20 s from a good card."""
_BROKEN_SIGNS = ("ERROR", "ASSERTION", "FATAL", "Runtime graphs are not supported")
"""What Vosk, Kaldi and OpenFst write about a model that they cannot use as a whole."""


def prove(model: Path) -> None:
    """Load the model elsewhere and let it hear a second of silence.

    Raises:
        ModelUnusable: that failed; the message is one sentence.
    """
    require_files(model)
    advice = "install it again or name another one"
    try:
        tried = subprocess.run(
            [sys.executable, "-m", "agent.voice.probe", str(model)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOADED_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"the voice model at {model} cannot be used: it did not load within {LOADED_WITHIN_S:.0f} s; {advice}"
        raise ModelUnusable(msg) from error
    complaints = [line for line in tried.stderr.splitlines() if any(sign in line for sign in _BROKEN_SIGNS)]
    if tried.returncode or complaints:
        reason = complaints[0] if complaints else f"Vosk ended with status {tried.returncode}"
        msg = f"the voice model at {model} is damaged; {advice} (Vosk says: {reason.strip()})"
        raise ModelUnusable(msg)


def _try(model: str) -> None:
    import vosk  # noqa: PLC0415 - only in the process that may die of it

    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(model), SAMPLE_RATE_HZ, json.dumps([UNKNOWN]))
    recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
    recogniser.AcceptWaveform(bytes(2 * SAMPLE_RATE_HZ))
    recogniser.FinalResult()


if __name__ == "__main__":
    _try(sys.argv[1])
