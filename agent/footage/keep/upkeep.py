"""What is done for footage beside recording it: what has reached its age goes, and how footage stands is told."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import structlog

from agent.footage.complaint import Complaint
from agent.footage.store.volume import MountMissing
from agent.helpers.messages import Event, FootageStands

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from agent.footage.keep.space import Space

log = structlog.get_logger()

EVERY_S = 10.0
"""How often: a segment's length, so that what is told is never older than that. Footage goes within this time of its
age, and within the hour that is promised (standards.md goal 18) even when a month of it is due at once."""


class Upkeep:
    """One thread's work, whether anything is recorded or not: the law knows no camera that is out of order."""

    def __init__(self, space: Space, tell: Callable[[Event], None]) -> None:
        self._space = space
        self._tell = tell
        self._complaint = Complaint(tell)

    def work(self, ending: threading.Event) -> None:
        """Look after footage until told to end; blocks."""
        while not ending.wait(EVERY_S):
            self.once()

    def once(self) -> None:
        """Look after it now."""
        try:
            self._space.expire()
            facts = self._space.facts()
        except MountMissing as error:
            log.debug("no_upkeep", reason=str(error))  # there is nothing to look after; the recording tells it
        except (OSError, sqlite3.Error) as error:
            text = f"Footage that has reached its age cannot be removed ({error}); it is tried again"
            self._complaint.make("retention-failed", text)
        else:
            self._complaint.withdraw()
            self._tell(FootageStands(facts))
