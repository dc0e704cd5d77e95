"""How fast the camera may film for the disk to keep up: pure, with time as an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.hw.kit import Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_FPS = 6
"""Police forces take no fewer (standards.md 2.2, goal 17)."""
LEAST_KBPS = 100
"""Less shows nothing at any size that a camera can be set to."""
STEPS = ((2, 1), (4, 2), (8, 2))
"""The order in which quality goes when the disk cannot keep up, as divisors of bit rate and frame rate: first detail,
then smoothness. Half the frame rate alone would not save a byte, since the encoder spends its bit rate either way; with
a quarter of the bit rate each frame is as good as at half of both. The last step is for a card at its end."""
FALL_BEHIND_S = 4.0
"""So much footage waiting means that the disk cannot keep up: an SD card's own housekeeping stops it for a second or
two at a time, and the queue holds 10 s (`agent.footage.record.feed`)."""
SETTLE_S = 5.0
"""A step shows in the queue only after the present key frame interval and what waits were written."""
KEPT_UP_S = 0.5
"""Less waiting than this is a disk that keeps up."""
CALM_S = 60.0
"""It must keep up for so long before a step is taken back."""
LONGEST_CALM_S = 3600.0
"""Each step that had to be taken again doubles the wait, up to this: a card at its limit must not flap."""


def rates(full: Rate) -> Sequence[Rate]:
    """The camera's own rate, and what is left of it at each step."""
    slower = (
        Rate(max(LEAST_FPS, full.fps // fps), max(min(LEAST_KBPS, full.bitrate_kbps), full.bitrate_kbps // kbps))
        for kbps, fps in STEPS
    )
    return (full, *slower)


@dataclass
class Pacing:
    """Decides by how much footage waits for the disk."""

    full: Rate
    step: int = 0
    """How many steps were taken; 0 is the camera's own rate."""
    _changed_s: float = float("-inf")
    _raised: bool = False
    """The last change gave quality back."""
    _behind_s: float = float("-inf")
    """When the disk was last seen not to keep up."""
    _calm_s: float = field(default_factory=lambda: CALM_S)

    @property
    def rate(self) -> Rate:
        """What the camera should film at."""
        return rates(self.full)[self.step]

    def look(self, waiting_s: float, now_s: float) -> bool:
        """So much footage waits now; returns whether the rate changed. Call it each second or oftener."""
        if waiting_s >= KEPT_UP_S:
            self._behind_s = now_s
        settled = now_s - self._changed_s >= SETTLE_S
        if waiting_s >= FALL_BEHIND_S and settled and self.step < len(STEPS):
            held_s = now_s - self._changed_s
            if self._raised and held_s < self._calm_s:
                self._calm_s = min(2 * self._calm_s, LONGEST_CALM_S)
            elif held_s >= LONGEST_CALM_S:
                self._calm_s = CALM_S
            self._change(self.step + 1, now_s)
            return True
        if self.step and now_s - max(self._behind_s, self._changed_s) >= self._calm_s:
            self._change(self.step - 1, now_s)
            return True
        return False

    def _change(self, step: int, now_s: float) -> None:
        self._raised = step < self.step
        self.step, self._changed_s = step, now_s
