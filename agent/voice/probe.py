"""Tries a voice model in a process of its own: Vosk ends the whole process on some broken models.

It also goes on without its grammar, hearing phrases nowhere, when a graph file is cut short, and says so only in a log
line that its log level does not silence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from typing import TYPE_CHECKING

from agent.config.problems import one_line
from agent.hw.kit import SAMPLE_RATE_HZ
from agent.hw.lines import line_path
from agent.parent_death import end_with_parent
from agent.signals import Line
from agent.voice.lexicon import UNKNOWN, ModelUnusable, require_sound

if TYPE_CHECKING:
    from pathlib import Path

SOMETHING_SAID = line_path(Line.HEARD)
"""Speech, in whatever language: a decoder that hears silence alone does not come by all the parts of its graph."""
LOADED_WITHIN_S = 60.0
"""The largest English model loads in under 20 s from a good card."""
_BROKEN_SIGNS = ("ERROR", "ASSERTION", "FATAL", "Runtime graphs are not supported")
"""What Vosk, Kaldi and OpenFst write about a model that they cannot use as a whole."""


def prove(model: Path) -> None:
    """Load the model elsewhere and let it hear something.

    Raises:
        ModelUnusable: that failed; the message is one sentence.
    """
    require_sound(model)
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
        msg = f"the voice model at {model} is damaged; {advice} (Vosk says: {one_line(reason.strip())})"
        raise ModelUnusable(msg)


def _try(model: str) -> None:
    end_with_parent()  # though a model spins or hangs
    import vosk  # noqa: PLC0415 - only in the process that may die of it

    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(model), SAMPLE_RATE_HZ, json.dumps([UNKNOWN]))
    recogniser.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
    with wave.open(str(SOMETHING_SAID), "rb") as said:
        recogniser.AcceptWaveform(said.readframes(said.getnframes()))
    recogniser.FinalResult()


if __name__ == "__main__":
    _try(sys.argv[1])
