"""Which steps of an upload are worth a revision of its alert: few, for each of them is kept and acknowledged. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

QUARTER: Final = 25
"""Percent."""
TOLD_EVERY_S: Final = 10.0
"""The start is told at once, every further quarter not sooner than this after the one before it: of a film that is
away in some seconds, the start and the end are all that anybody reads."""


@dataclass
class Quarters:
    """What was told of each upload that is not over."""

    _told: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Percent, and when."""

    def to_tell(self, upload_id: str, sent_bytes: int, size_bytes: int | None, now_s: float) -> int | None:
        """The whole quarters that are to be told now, in percent, or None.

        Args:
            upload_id: Which one.
            sent_bytes: What the server has.
            size_bytes: Of the whole; None: it is not known yet.
            now_s: The present moment, monotonic.
        """
        share = 100 * sent_bytes // size_bytes if size_bytes else 0
        percent = min(share, 99) // QUARTER * QUARTER  # all of it is the end, which has more to say
        told = self._told.get(upload_id)
        if told is not None and (percent <= told[0] or now_s - told[1] < TOLD_EVERY_S):
            return None
        self._told[upload_id] = percent, now_s
        return percent

    def over(self, upload_id: str) -> None:
        """It ended: the same one may begin again."""
        self._told.pop(upload_id, None)
