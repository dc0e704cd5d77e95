"""What a server can have after each chunk: one that claims more is not believed, one that gets nowhere is left."""

from __future__ import annotations

from typing import Final

from agent.uplink.media.web.errors import NeverWorks

MOST_SHORT: Final = 4
"""So often in one attempt a server may have less after a chunk than was sent, or the same again: one that gets nowhere
would use up the data plan and hold up all that waits behind it."""


class ShortChunks:
    """Counts the chunks after which a server is not where it should be."""

    def __init__(self) -> None:
        self._count = 0

    def note(self, wanted: int, reached: int) -> None:
        """A chunk was to go up to `wanted`, and the server says it has the file up to `reached` (bytes).

        Raises:
            NeverWorks: it gets nowhere.
        """
        self._count += reached < wanted
        if self._count >= MOST_SHORT:
            msg = f"the server did not keep what it was sent, {self._count} times: it is at byte {reached}"
            raise NeverWorks(msg)


def too_much(reached: int, sent: int) -> str:
    """What to say of a server that claims more bytes than it can have."""
    return f"the server says it has {reached} bytes, and was sent {sent}"
