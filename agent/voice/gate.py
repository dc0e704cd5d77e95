"""The level gate: lets the recogniser sleep while nobody can be speaking. Pure: blocks of sound in, blocks out.

Feeding quiet to a recogniser costs current all night and brings ghost words (peers.md D.1). The gate compares each
block with the floor of the sound around it, so that it works in a shop and beside a road. It errs towards hearing:
a block let through costs milliseconds, a syllable cut off costs a call for help.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from agent.hw.kit import BLOCK_MS

SILENCE_DBFS = -96.0
"""What digital silence counts as: below the one-bit noise of 16-bit sound."""
QUIETEST_DBFS = -66.0
"""Nothing under this opens the gate: 16 steps of the converter, the self-noise of a cheap microphone."""
OVER_FLOOR_DB = 3.75
"""Loud is what is so much over the floor: speech at 0 dB SNR lifts the level by 3 dB on average, and by 4 dB and more
in its vowels. At this, with `OPENING_BLOCKS`, each of the bench's 560 calls by people's voices passes, down to 5 dB
SNR; at 4.0 one at 5 dB does not."""
OPENING_LOUD_BLOCKS, OPENING_BLOCKS = 2, 3
"""So many of so many blocks must be loud to open the gate: the shortest "help me" of the test voices takes 300 ms,
while noise crosses the threshold for one block again and again. In the bench's quiet night a single block opened it
14 times a minute at 4 dB, and 26 % of the sound passed; so 9 % pass. Waiting loses nothing: what came meanwhile passes
too."""
FLOOR_RISE_DB_PER_S = 1.0
"""Slow, so that ten seconds of shouting (whose pauses pull the floor down again) stay above it; a lorry that parks
with its engine on, 20 dB louder, is the new floor after 20 s."""
FLOOR_FALL = 0.5
"""Share of the way that the floor falls each block; a pause between two words is enough to find it."""
HANGOVER_MS = 500
"""The gate stays open this long after the last loud block: closures and soft endings within a phrase are shorter, and
when it closes the recogniser is asked at once, so this bounds the time from the end of a phrase to its decision."""
LOOK_BACK_MS = 400
"""Sound before the loud blocks that is passed on as well: an "h" or "p" is under the level that opens the gate."""


def level_dbfs(pcm: bytes) -> float:
    """The RMS level of 16-bit little-endian sound; 0 dBFS is a full-scale square wave.

    Without its mean: a converter that is off zero is not a loud place, in which only a shout would open the gate.
    """
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    power = float(np.var(samples / 32768.0)) if samples.size else 0.0
    return max(SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else SILENCE_DBFS


@dataclass(frozen=True)
class Passed:
    """What the gate does with one block."""

    pcm: bytes = b""
    """The sound for the recogniser, oldest first; empty while the gate is shut."""
    shut: bool = False
    """Nothing more comes for now: time to ask the recogniser what it heard."""


class Gate:
    """An adaptive level gate with hang-over and look-back. Until it knows the place it lets everything pass."""

    def __init__(self) -> None:
        self.floor_dbfs = QUIETEST_DBFS
        """The level of the place when nobody speaks, as far as known."""
        self.level_dbfs = SILENCE_DBFS
        """The level of the last block."""
        self.open = False
        self._loud: deque[bool] = deque(maxlen=OPENING_BLOCKS)
        """Which of the last blocks were, while it is shut."""
        self._quiet_blocks = 0
        """In a row, up to now, while it is open."""
        self._before: deque[bytes] = deque(maxlen=LOOK_BACK_MS // BLOCK_MS + OPENING_BLOCKS - 1)

    def feed(self, pcm: bytes) -> Passed:
        """Judge one block of `BLOCK_MS`."""
        self.level_dbfs = level_dbfs(pcm)
        loud = self.level_dbfs > max(QUIETEST_DBFS, self.floor_dbfs + OVER_FLOOR_DB)
        self._follow_floor()
        if not self.open:
            return self._while_shut(pcm, loud=loud)
        self._quiet_blocks = 0 if loud else self._quiet_blocks + 1
        if self._quiet_blocks * BLOCK_MS >= HANGOVER_MS:
            self.open = False
            return Passed(pcm, shut=True)
        return Passed(pcm)

    def _while_shut(self, pcm: bytes, *, loud: bool) -> Passed:
        self._loud.append(loud)
        if sum(self._loud) < OPENING_LOUD_BLOCKS:
            self._before.append(pcm)
            return Passed()
        kept = b"".join([*self._before, pcm])
        self._before.clear()
        self._loud.clear()
        self._quiet_blocks = 0
        self.open = True
        return Passed(kept)

    def _follow_floor(self) -> None:
        level = max(self.level_dbfs, QUIETEST_DBFS)
        if level < self.floor_dbfs:
            self.floor_dbfs += (level - self.floor_dbfs) * FLOOR_FALL
        else:
            self.floor_dbfs = min(level, self.floor_dbfs + FLOOR_RISE_DB_PER_S * BLOCK_MS / 1000)
