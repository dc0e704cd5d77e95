"""How many frames are safe on the disk and how many are missing, by the moments at which they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.hw.kit import Packet


@dataclass
class Tally:
    """Counts by time, not by messages: a frame is lost when its moment has no picture, whoever dropped it.

    So the camera's own drops, a full queue, a full disk and an unplugged cable all show in the one number. Frames count
    only once they are synced; those of a failed sync count as lost, since nobody knows whether they are there.
    """

    done: int = 0
    """Frames safe on the disk."""
    lost: int = 0
    """Frames that should lie between them."""
    _safe: Packet | None = None
    """The last safe frame."""
    _last: Packet | None = None
    _waiting: int = 0
    _waiting_lost: int = 0

    def wrote(self, frame: Packet) -> None:
        """This frame was written, and may still be lost in a power cut."""
        if self._last is not None:
            # a gap counts from one and a half frame times on: less is jitter (camera-lab section 1)
            self._waiting_lost += max(0, round((frame.taken_s - self._last.taken_s) / self._last.frame_s) - 1)
        self._waiting += 1
        self._last = frame

    def synced(self) -> bool:
        """All that was written is safe; returns whether that was anything."""
        anything = self._waiting > 0
        self.done += self._waiting
        self.lost += self._waiting_lost
        self._waiting = self._waiting_lost = 0
        self._safe = self._last
        return anything

    def failed(self) -> None:
        """What was written since the last sync may be gone: the next safe frame counts it as lost."""
        self._waiting = self._waiting_lost = 0
        self._last = self._safe
