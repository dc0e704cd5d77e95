"""The production recorder over the synthetic camera, in a process of its own: `python -m tests.soak.synthetic FD`.

When it ends it prints how many frames the camera encoded: what the files must hold is known without reading them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent import journal
from fakes.camera import SyntheticCamera
from tests.footage.record_alone import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.hw.kit import Packet


class CountedCamera(SyntheticCamera):
    """Knows how many frames left its encoder."""

    encoded = 0
    """Over all cameras of this process: one that is lost and opened again goes on counting."""

    def packets(self) -> Iterator[Packet]:
        """Yield frames, each counted."""
        for packet in super().packets():
            CountedCamera.encoded += 1
            yield packet


def main(fd: int) -> None:
    """Record until the line is closed."""
    journal.set_up()
    record(fd, CountedCamera)
    print(CountedCamera.encoded)  # noqa: T201 - what the parent process reads


if __name__ == "__main__":
    main(int(sys.argv[1]))
