"""Notices a microphone that gives blocks on time but hears nothing of use. Pure: blocks and their times in.

A muted switch, a dead converter or a gain turned up to the stop still pace blocks, so that everything looks alive: the
listener that died and nobody knew (peers.md, pain point 15). Each block is judged alone, a fault is what most blocks of
a while share. Unfit for microphones that cut silence to zeros themselves (conference speakerphones): at night they
would be called silent.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.gate import SILENCE_DBFS

if TYPE_CHECKING:
    from agent.hw.kit import PcmBlock

Samples = NDArray[np.float32]

HELD_S = 15.0
"""So long must a condition last. A fault shall be named within 20 s; five are left for a loaded machine. People stop
for breath and cars pass in less."""
HELD_SHARE = 0.9
"""Of the blocks of that while: a click on a dead line, or one quiet block in a clipped hour, do not start it anew. In
shouting, a third of the blocks and more are pauses and closures."""
OVER_AFTER_S = 5.0
"""So long without one block in the condition ends it: a plug with a bad contact is one fault, not a row of them."""
GAP_S = 1.0
"""A longer gap between two blocks is a microphone that was opened anew: what was before it says nothing about it."""

FAINT_DBFS = -80.0
"""Three steps of the converter. For a raised voice to be heard from 5 m (52 dB there; ISO 9921: 66 dB at 1 m) it must
reach the gate's -66 dBFS, so that this is 38 dB at most: the quietest nights of towns have 30 dB(A), and 10 dB more
without the A curve, which takes the rumble out. A converter without a membrane gives -90 to -85 dBFS. Where a working
microphone falls below, its gain is too low to hear a call: a fault too."""
FAINT_OVER_DBFS = -77.0
"""Ends it: 3 dB higher, the usual swing of a quiet night's level."""

NEAR_PEAK = 0.005
"""Share of the peak. A clipped wave lies flat here; of a sine, the flattest wave that air carries, 6 % do."""
CLIPPED_PEAK = 0.25
"""Of full scale: clipping before the converter, or before a volume control, has its plateau below 1. Lower ones are
too few steps to tell a plateau from coarse ones."""
CLIPPED_SHARE = 0.1
"""Of a block's samples lie on its plateaus: noise whose level is 4 dB below full scale. A street at a sane gain is 20
to 40 dB lower; a shout close by gets there in its vowels only."""
CLIPPED_OVER_SHARE = 0.05
"""Ends it: noise 1.5 dB lower."""

HOWL_DBFS = -30.0
"""Feedback grows until something limits it; what is quieter, a whistle far off or a hum, drowns no call."""
HOWL_LOWEST_HZ = 200.0
"""Below is the hum of mains and engines; a small speaker hardly gives it back, and speech is heard over it."""
HOWL_SHARE = 0.9
"""Of the power in one tone. Horns, sirens and instruments have overtones; a square wave's first partial has 81 %."""
HOWL_DRIFT_HZ = 10.0
"""From block to block, one step of a block's spectrum: feedback stands still, sirens and singers move."""


class Condition(Enum):
    """What can be wrong with a microphone; the values are the ends of fault codes."""

    SILENT = "silent"
    """Digital silence: every sample is zero."""
    CONSTANT = "constant"
    """Every sample has one other value."""
    FAINT = "faint"
    """Nothing but self-noise: less than any place has."""
    CLIPPED = "clipped"
    """The tops are cut off nearly all the time."""
    HOWL = "howl"
    """One loud steady tone and nothing else: feedback."""


DEAF = frozenset({Condition.SILENT, Condition.CONSTANT, Condition.FAINT})
"""Nothing is heard, whichever it is: the noise of half a converter's step is zeros in some blocks and faint in others.
Where all of them together last, the commonest is named."""


class MicrophoneCheck:
    """Watches the blocks of one microphone."""

    def __init__(self) -> None:
        self.standing: Condition | None = None
        """What is wrong with it now."""
        self.level_dbfs = SILENCE_DBFS
        """RMS of the last block without its constant part; 0 dBFS is a full-scale square wave."""
        self._judged: deque[tuple[float, Condition | None]] = deque()
        self._counts: Counter[Condition | None] = Counter()
        self._began_s: float | None = None
        """When what is being judged began."""
        self._ended_s = 0.0
        self._last_seen_s = 0.0
        """When a block last had the standing condition."""
        self._tone_hz = 0.0

    def feed(self, block: PcmBlock) -> Condition | None:
        """Judge the next block; returns what is wrong now."""
        if self._began_s is None or not 0.0 <= block.ended_s - self._ended_s <= GAP_S:
            self._begin_anew(block.ended_s)
        self._ended_s = block.ended_s
        self._count(self._judge(block), block.ended_s)
        return self.standing

    def _begin_anew(self, at_s: float) -> None:
        self._judged.clear()
        self._counts.clear()
        self._began_s = self._last_seen_s = at_s

    def _count(self, judged: Condition | None, ended_s: float) -> None:
        self._judged.append((ended_s, judged))
        self._counts[judged] += 1
        while self._judged[0][0] <= ended_s - HELD_S:
            self._counts[self._judged.popleft()[1]] -= 1
        if judged is self.standing or (judged in DEAF and self.standing in DEAF):
            self._last_seen_s = ended_s
        elif ended_s - self._last_seen_s >= OVER_AFTER_S:
            self.standing = None
        if self._began_s is None or ended_s - self._began_s < HELD_S:
            return
        enough = HELD_SHARE * len(self._judged)
        for condition in Condition:
            if condition is not self.standing and self._counts[condition] >= enough:
                self.standing, self._last_seen_s = condition, ended_s
        if self.standing not in DEAF and sum(self._counts[each] for each in DEAF) >= enough:
            self.standing, self._last_seen_s = max(DEAF, key=lambda each: self._counts[each]), ended_s

    def _judge(self, block: PcmBlock) -> Condition | None:
        """What is wrong with this block, if anything."""
        samples = _samples(block.pcm)
        if not samples.size:
            self.level_dbfs = SILENCE_DBFS
            return Condition.SILENT
        low, high = float(samples.min()), float(samples.max())
        power = float(np.var(samples)) if low < high else 0.0
        self.level_dbfs = max(SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else SILENCE_DBFS
        last_tone_hz, self._tone_hz = self._tone_hz, 0.0
        if low == high:
            return Condition.CONSTANT if low else Condition.SILENT
        if self.level_dbfs < (FAINT_OVER_DBFS if self.standing is Condition.FAINT else FAINT_DBFS):
            return Condition.FAINT
        if self._is_clipped(_samples(block.wide) if block.wide else samples):
            return Condition.CLIPPED
        if self.level_dbfs < HOWL_DBFS:
            return None
        self._tone_hz = _only_tone_hz(samples)
        return Condition.HOWL if self._tone_hz and abs(self._tone_hz - last_tone_hz) <= HOWL_DRIFT_HZ else None

    def _is_clipped(self, samples: Samples) -> bool:
        """Whether these are cut off; as the converter gave them, since the low-pass before 16 kHz rounds plateaus."""
        if not samples.size:
            return False
        low, high = float(samples.min()), float(samples.max())
        peak = max(-low, high)
        if peak < CLIPPED_PEAK:
            return False
        near = NEAR_PEAK * peak
        share = float(np.mean((samples >= high - near) | (samples <= low + near)))
        return share >= (CLIPPED_OVER_SHARE if self.standing is Condition.CLIPPED else CLIPPED_SHARE)


def _samples(pcm: bytes) -> Samples:
    """Of a full scale of 1; half a sample at the end is none."""
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float32) / np.float32(32768)


@cache
def _window(size: int) -> Samples:
    return np.hanning(size).astype(np.float32)


def _only_tone_hz(samples: Samples) -> float:
    """The tone that is all there is in these samples, or 0."""
    spectrum = np.square(np.abs(np.fft.rfft(samples * _window(samples.size))))
    spectrum[:2] = 0.0  # the constant part
    step_hz = SAMPLE_RATE_HZ / samples.size
    top = int(np.argmax(spectrum))
    tone = float(np.sum(spectrum[max(0, top - 2) : top + 3]))  # the window spreads a tone over two steps each way
    loud = top * step_hz >= HOWL_LOWEST_HZ and tone >= HOWL_SHARE * float(np.sum(spectrum))
    return top * step_hz if loud else 0.0
