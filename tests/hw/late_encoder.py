"""An encoder as the Pi 4's is to picamera2, on a machine without one."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Any

FRAMES_LATE = 3
"""How many frames it has in work."""


def late_encoder() -> type:
    """libx264, but its frames come some frames later and from a thread of its own. Only where the real stack is."""
    from picamera2.encoders import LibavH264Encoder  # noqa: PLC0415 - only where `STACK` is

    class LateEncoder(LibavH264Encoder):  # type: ignore[misc]  # picamera2 has no types
        def _start(self) -> None:
            self._late: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
            self._giving = threading.Thread(target=self._give, name="late-encoder")
            super()._start()
            self._giving.start()

        def _stop(self) -> None:
            super()._stop()
            self._late.put(None)
            self._giving.join()

        def outputframe(self, frame: bytes, keyframe: bool, timestamp: int, packet: object) -> None:  # noqa: ARG002, FBT001
            self._late.put((frame, keyframe, timestamp))

        def _give(self) -> None:
            waiting: deque[tuple[Any, ...]] = deque()
            while (frame := self._late.get()) is not None:
                waiting.append(frame)
                if len(waiting) > FRAMES_LATE:
                    super().outputframe(*waiting.popleft())
            for frame in waiting:
                super().outputframe(*frame)

    return LateEncoder
