"""What people say in the privacy test, as sound and as words."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np

from fakes import SPEECH

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHRASE = "call-the-police-rms"
TALK_BEFORE = "talk-weather-slt"
TALK_DURING = "talk-police-awb"
SENTENCES = {
    PHRASE: "call the police",
    TALK_BEFORE: "the weather is nice on monday",
    TALK_DURING: "the police station is next to the bank",
}
UNKNOWN_SPEECH = "[unk]"
"""What the recogniser writes for any other word: only a transcript holds it."""


def recording(name: str) -> NDArray[np.int16]:
    """The samples of a recording of the simulated street."""
    with wave.open(str(SPEECH / f"{name}.wav"), "rb") as wav:
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
