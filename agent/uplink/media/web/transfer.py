"""What an attempt works with: the file, the server, and how far the one has really gone to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.uplink.media.web.errors import NeverWorks, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agent.uplink.media.web.client import Client, Reply
    from agent.uplink.media.web.flow import Flow
    from agent.uplink.media.web.job import Job
    from agent.uplink.media.web.source import Source

MOST_DOUBTS: Final = 2
"""So often an upload is sent again because of what the server says that it has: one that always says such things would
use up the data plan."""


@dataclass(frozen=True)
class Transfer:
    """One attempt's tools. Nothing of the file leaves but through `send`."""

    job: Job
    source: Source
    client: Client
    flow: Flow
    keep: Callable[[], None]
    """Writes down how the job stands."""
    moved: Callable[[], None]
    """Called whenever the job says something new: it is kept, and told."""

    @property
    def size(self) -> int:
        """Of the whole file."""
        return self.source.print.size_bytes

    def send(  # noqa: PLR0913 - a request, and which bytes go with it
        self, method: str, url: str, headers: Mapping[str, str], start: int, size: int, *, good: frozenset[int]
    ) -> tuple[Reply, int]:
        """Send a stretch of the file in one request; returns the answer, and up to where the file had gone out by then.

        An answer may come before the whole stretch has gone, from a server that does not read it.

        Raises:
            TryAgain, NeverWorks, Stopped, Paused: see there.
        """
        job, before, gone = self.job, self.job.offered_bytes, start

        def blocks() -> Iterator[bytes]:
            nonlocal gone
            gone = start  # a redirect begins it anew
            for block in self.flow.blocks(self.source.file, start, size):
                gone += len(block)
                job.offered_bytes = max(job.offered_bytes, gone)
                yield block

        if start + size > before:
            job.offered_bytes = start + size
            self.keep()  # whoever finds the job after a power cut knows how far it can have come
            job.offered_bytes = before
        return self.client.request(method, url, {**headers, "Content-Length": str(size)}, blocks, good=good), gone

    def send_all(  # noqa: PLR0913 - as above
        self, method: str, url: str, headers: Mapping[str, str], start: int, size: int, *, good: frozenset[int]
    ) -> Reply:
        """Send a stretch to a server that says it took it, but not how much of it.

        Raises:
            TryAgain, NeverWorks: it answered before it had all of it; or see there.
            Stopped, Paused: see there.
        """
        reply, gone = self.send(method, url, headers, start, size, good=good)
        if gone < start + size:
            msg = f"the server said it had taken {size} bytes when {gone - start} had gone out"
            raise self.doubt(msg)
        return reply

    def doubt(self, why: str) -> TryAgain | NeverWorks:
        """The server says what cannot be: what to raise, for it to be sent again or given up."""
        self.job.doubts += 1
        self.moved()
        return TryAgain(why) if self.job.doubts <= MOST_DOUBTS else NeverWorks(why)
