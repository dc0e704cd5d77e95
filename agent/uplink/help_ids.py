"""Ids for alerts; and for help calls one that is known to the disk before it is needed.

A help call is published while it is still being stored. If the daemon is killed in between and the button is still
held when it starts again, it raises the call once more: under the same id, or the control room would see two people
in need. So the id of the next help call lies on the disk in advance, and is replaced there in the very transaction
that stores the call.
"""

from __future__ import annotations

from ulid import ULID


def new_alert_id() -> str:
    """An id that no alert had, and that sorts by time."""
    return f"inc-{ULID()}"


class HelpIds:
    """The spare id, and the one that a life which ended in a crash may have used."""

    def __init__(self, spare: str | None = None, at_start: str | None = None) -> None:
        self.stored_spare = spare or new_alert_id()
        """What is to be on the disk as the spare."""
        self.at_start = at_start
        """The last life's spare, when it ended in a crash; until it is used or the start is over."""
        self._spare = self.stored_spare
        self._taken: set[str] = set()

    def take(self, *, at_start: bool = False) -> str:
        """The id for a new help call, at once.

        Args:
            at_start: The call is a button that was already held when the unit started: it may be the same call that
                the last life was killed in.
        """
        if at_start and self.at_start is not None and self.at_start not in self._taken:
            taken = self.at_start
        else:
            taken, self._spare = self._spare, new_alert_id()
        self._taken.add(taken)
        return taken

    def told(self, alert_id: str) -> None:
        """An alert of this id is being stored: the same transaction stores what is left."""
        if alert_id not in self._taken:
            return
        self._taken.discard(alert_id)
        if alert_id == self.at_start:
            self.at_start = None
        else:
            self.stored_spare = self._spare

    def end_start(self) -> bool:
        """All inputs were read once: no call can be the last life's any more. Whether that changed anything."""
        if self.at_start is None or self.at_start in self._taken:
            return False
        self.at_start = None
        return True
