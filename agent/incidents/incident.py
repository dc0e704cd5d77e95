"""One incident: its state and the one guarded way through its phases."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of remembered state
from agent.incidents.deadlines import Deadline  # noqa: TC001 - likewise
from agent.incidents.detection import Detection, newest
from agent.incidents.evidence import Piece
from agent.signals import Category, Outcome  # noqa: TC001 - likewise


class Phase(StrEnum):
    """How far an incident has come."""

    ACTIVE = "active"
    """It grows with each trigger."""
    ENDED = "ended"
    """The event is over and does not grow any more; the control room still owes it an outcome."""
    CLOSED = "closed"
    """It has an outcome. Only its footage may still follow."""


_NEXT = {
    Phase.ACTIVE: frozenset({Phase.ENDED, Phase.CLOSED}),
    Phase.ENDED: frozenset({Phase.CLOSED}),
    Phase.CLOSED: frozenset[Phase](),
}


@dataclass(frozen=True)
class Closing:
    """How an incident was closed."""

    outcome: Outcome
    cause: str | None
    """In the words of whoever closed it."""
    by: str | None
    """An operator's reference, or the unit."""
    at: Moment


@dataclass
class Incident:
    """What is known of one incident. What happens to it is decided in the other files of this folder."""

    alert_id: str
    category: Category
    cause: str
    """What keeps it apart from others of its category: one incident is active for each cause."""
    opened: Moment
    last: Moment
    """The last trigger."""
    mark: str = ""
    """Why it is a test (`agent.incidents.marks`); one incident is active for each cause and mark."""
    persists: bool = False
    """It lasts until the unit reports it restored (faults, tamper), not until nothing more happens."""
    text: str | None = None
    """The sentence of a fault."""
    detections: list[Detection] = field(default_factory=list)
    confirmed_by: tuple[str, ...] = ()
    """Two detectors of different kinds that confirm each other."""
    loud: bool = False
    """Somebody called for help openly: lamp and speaker answer. Every other incident leaves the scene as it is."""
    held: dict[str, Moment] = field(default_factory=dict)
    """Buttons that are held down, each with the moment from which on that is a silent call."""
    revision: int = 0
    """The last one told."""
    grown_in: int = 1
    """The revision that tells of the last caller or detector that came to it, or of one that called anew.

    Whoever closes an earlier one does not know of that.
    """
    told: Moment | None = None
    received: Moment | None = None
    """The control room's receiver has it."""
    seen: Moment | None = None
    """A person in the control room has seen it, perhaps before the last caller came to it."""
    seen_in: int = 0
    """The newest revision that a person there has seen."""
    operator_ref: str | None = None
    operator_late: bool = False
    escalated: bool = False
    restored: bool = False
    """What was tampered with is at rest again."""
    suppressed: int = 0
    """Triggers that were not told one by one (runaway)."""
    closing: Closing | None = None
    still: Piece = field(default_factory=Piece)
    strip: Piece = field(default_factory=Piece)
    clip: Piece = field(default_factory=Piece)
    deadlines: dict[Deadline, Moment] = field(default_factory=dict)
    _phase: Phase = Phase.ACTIVE

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        return self._phase

    @property
    def is_open(self) -> bool:
        """Whether the control room still owes it an outcome."""
        return self._phase is not Phase.CLOSED

    @property
    def all_seen(self) -> bool:
        """Whether a person in the control room has seen it with the last caller that came to it."""
        return self.seen is not None and self.seen_in >= self.grown_in

    def enter(self, phase: Phase) -> None:
        """Go on to this phase.

        Raises:
            ValueError: it is not one that follows.
        """
        if phase not in _NEXT[self._phase]:
            msg = f"incident {self.alert_id} cannot go from {self._phase} to {phase}"
            raise ValueError(msg)
        self._phase = phase

    def add(self, detection: Detection) -> bool:
        """Add a trigger; True when it says more than one more of the same."""
        self.last = newest(self.last, detection.last)
        for known in self.detections:
            if known.same_detector(detection):
                was_silent = known.silent
                known.absorb(detection)
                return known.silent != was_silent
        self.detections.append(detection)
        return True

    def next_deadline(self) -> tuple[Moment, Deadline] | None:
        """What it waits for first, and until when."""
        if not self.deadlines:
            return None
        deadline = min(self.deadlines, key=lambda each: self.deadlines[each].monotonic_s)
        return self.deadlines[deadline], deadline
