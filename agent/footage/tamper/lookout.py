"""The thread that watches the camera's analysis pictures for tamper. Recording never waits for it, nor ends with it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from agent.footage.complaint import Complaint
from agent.footage.tamper.watch import LOOK_EVERY_S, TamperWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.helpers.messages import Event
    from agent.hw.kit import LoresFrame

log = structlog.get_logger()


class Lookout:
    """Looks at the newest analysis picture at a fixed rate and tells of a tamper and of its end."""

    def __init__(
        self,
        newest: Callable[[], LoresFrame | None],
        tell: Callable[[Event], None],
        monotonic: Callable[[], float] = time.monotonic,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Watch a camera that may come and go.

        Args:
            newest: Its newest analysis picture, the last one again when there is no newer, or None.
            tell: Takes `TamperSeen` and `TamperOver`, and a trouble with the watch itself.
            monotonic: The clock by which pictures say when they were taken.
            every_s: How long to wait between two looks.
        """
        self._newest = newest
        self._tell = tell
        self._monotonic = monotonic
        self._every_s = every_s
        self._watch = TamperWatch()
        self._blind = Complaint(tell)
        self._closed = threading.Event()

    def work(self) -> None:
        """Look until closed; blocks, in a thread of its own."""
        while not self._closed.wait(self._every_s):
            try:
                said = self._watch.look(self._newest(), self._monotonic())
            except Exception as error:  # noqa: BLE001 - whatever it is: the recording that runs beside it matters more
                self._fail(error)
                continue
            self._blind.withdraw()
            if said is not None:
                log.info(said.type, **{name: value for name, value in vars(said).items() if name != "type"})
                self._tell(said)

    def close(self) -> None:
        """`work` ends."""
        self._closed.set()

    def _fail(self, error: Exception) -> None:
        """Tell it once, and begin anew: the next look may go well."""
        if not self._blind.stands:
            log.error("tamper_watch_failed", exc_info=error)
        self._blind.make("tamper-watch", f"The camera is not watched for tamper ({error!r}); it is recorded as usual")
        self._watch = TamperWatch()
