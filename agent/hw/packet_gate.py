"""Between an encoder that must not wait and a writer that may be slow: only what can be decoded goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.hw.kit import Packet

if TYPE_CHECKING:
    from agent.hw.intake import Intake


class PacketGate:
    """Queues encoder frames as packets: strictly later ones only, and after a loss nothing before a key frame.

    `take` is called on the encoder's thread and never waits. Once a frame is lost, those after it cannot be decoded
    up to the next key frame: they are lost with it, and counted in that key frame's packet.
    """

    def __init__(self, intake: Intake[Packet]) -> None:
        self._intake = intake
        self._lost = 0
        self._taken_s: float | None = None
        """Time of the last frame that went through; None before the first."""

    def take(self, data: bytes, taken_s: float, frame_s: float, *, keyframe: bool) -> None:
        """Queue a frame, or count it as lost."""
        follows_on = self._taken_s is not None and self._lost == 0
        later = self._taken_s is None or taken_s > self._taken_s
        if (
            (keyframe or follows_on)
            and later
            and self._intake.offer(Packet(data, keyframe, taken_s, frame_s, self._lost))
        ):
            self._lost = 0
            self._taken_s = taken_s
        else:
            self._lost += 1
