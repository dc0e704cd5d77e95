"""Which detectors confirm each other: two of different kinds within the window, while the unit is set.

A street detector alone never confirms (BS 8243, standards.md 1.4). The window is not kept over a restart: a
confirmation lost that way is one claim too few, never one too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.incidents.categories import NATURES

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.incidents.detection import Detection
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn


@dataclass(frozen=True)
class _Witness:
    detector: str
    kind: str
    at: Moment
    incident: Incident


class Witnesses:
    """The latest trigger of each detector while the unit is set."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._latest: dict[str, _Witness] = {}

    def forget(self) -> None:
        """The unit was unset: what a shop's customers trigger confirms no burglar."""
        self._latest.clear()

    def hear(self, detection: Detection, incident: Incident, turn: Turn) -> None:
        """A detector triggered while set: confirm its incident, and those of other kinds it bears out."""
        me = _Witness(detection.name, detection.kind, detection.last, incident)
        others = [
            other
            for other in self._latest.values()
            if other.kind != me.kind and abs(me.at.monotonic_s - other.at.monotonic_s) <= self._within_s
        ]
        self._latest[me.detector] = me
        for other in others:
            for each in (incident, other.incident):
                if each.is_open and NATURES[each.category].confirmable and not each.confirmed_by:
                    each.confirmed_by = (other.detector, me.detector)
                    turn.tell(each, me.at)
