"""Whether each of the ways to the control room works, and when that has to be said. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOST_AFTER_S: Final = 20.0
"""A path that is down for so long is told as lost. A half-open connection is found within twice its keep-alive of 25 s:
together that is below the 90 s of standards.md goal 4."""
RECALL_AFTER_S: Final = 60.0
"""By then a broker has told the last will of a lost path, 37.5 s after its last sign: time to say that we live."""
PROVE_EVERY_S: Final = 870.0
"""A path that carried nothing for so long has to carry a heartbeat: with one each 25 s that is within the 15 min of
goal 5 (DP4)."""
UNPROVED_AFTER_S: Final = 960.0
"""A path that has a connection and still carried nothing for so long, though it was asked to, does not work."""


class PathEvent(StrEnum):
    """What is to be said about a path."""

    LOST = "lost"
    BACK = "back"
    WILL_TOLD = "will-told"
    """It is still lost, and its broker has told everybody so."""


@dataclass
class _Path:
    down_since_s: float | None
    lost: bool = False
    recalled: bool = False


class PathWatch:
    """Watches paths by name."""

    def __init__(self, names: Iterable[str], now_s: float) -> None:
        """All paths are down until they are seen up."""
        self._paths = {name: _Path(now_s) for name in names}

    def look(self, up: Mapping[str, bool], now_s: float) -> list[tuple[str, PathEvent]]:
        """What is to be said now, each once.

        Args:
            up: Which paths have a connection.
            now_s: The present moment.
        """
        events = []
        for name, path in self._paths.items():
            if up[name]:
                if path.lost:
                    events.append((name, PathEvent.BACK))
                self._paths[name] = _Path(None)
                continue
            if path.down_since_s is None:
                path.down_since_s = now_s
            down_s = now_s - path.down_since_s
            if not path.lost and down_s >= LOST_AFTER_S:
                path.lost = True
                events.append((name, PathEvent.LOST))
            if not path.recalled and down_s >= RECALL_AFTER_S:
                path.recalled = True
                events.append((name, PathEvent.WILL_TOLD))
        return events


def wants_proof(proved_s: float | None, now_s: float) -> bool:
    """Whether a path has to be proved now, when it last was at that moment, or never."""
    return proved_s is None or now_s - proved_s >= PROVE_EVERY_S


def proves_itself(proved_s: float | None, now_s: float) -> bool:
    """Whether a path that has a connection works: its broker took something, and not too long ago."""
    return proved_s is not None and now_s - proved_s < UNPROVED_AFTER_S
