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
UNHEARD_AFTER_S: Final = 60.0
"""A path whose broker has had nobody for what it took for so long leads to no control room: two heartbeats at the
least were among it. With the 25 s between two of them that is within the 90 s of goal 4."""


class PathEvent(StrEnum):
    """What is to be said about a path."""

    LOST = "lost"
    BACK = "back"
    WILL_TOLD = "will-told"
    """It is still lost, and its broker has told everybody so."""
    UNHEARD = "unheard"
    """Its broker takes what the unit says, and has nobody who listens for it."""
    HEARD = "heard"
    """Somebody listens there again."""


@dataclass
class _Path:
    down_since_s: float | None
    lost: bool = False
    recalled: bool = False
    unheard: bool = False


class PathWatch:
    """Watches paths by name."""

    def __init__(self, names: Iterable[str], now_s: float) -> None:
        """All paths are down until they are seen up."""
        self._paths = {name: _Path(now_s) for name in names}

    def look(
        self, up: Mapping[str, bool], now_s: float, unheard_since_s: Mapping[str, float | None] | None = None
    ) -> list[tuple[str, PathEvent]]:
        """What is to be said now, each once.

        Args:
            up: Which paths have a connection.
            now_s: The present moment.
            unheard_since_s: Since when a path's broker has nobody for what it takes; None: it has, or took nothing.
        """
        events = []
        for name, path in self._paths.items():
            since_s = (unheard_since_s or {}).get(name)
            if path.unheard and since_s is None:
                path.unheard = False
                events.append((name, PathEvent.HEARD))
            if up[name]:
                if path.lost:
                    events.append((name, PathEvent.BACK))
                if not path.unheard and since_s is not None and now_s - since_s >= UNHEARD_AFTER_S:
                    path.unheard = True
                    events.append((name, PathEvent.UNHEARD))
                self._paths[name] = _Path(None, unheard=path.unheard)
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
    """Whether a path has to be proved now, when somebody was last there at that moment, or never."""
    return proved_s is None or now_s - proved_s >= PROVE_EVERY_S


def proves_itself(took_s: float | None, now_s: float) -> bool:
    """Whether a path that has a connection works: its broker took something, and not too long ago."""
    return took_s is not None and now_s - took_s < UNPROVED_AFTER_S
