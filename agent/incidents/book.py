"""The incidents this unit knows: found by what they are about, driven by their deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.incidents import course, duress, evidence, feedback, response
from agent.incidents.deadlines import Deadline, carried_over
from agent.incidents.incident import Closing, Incident, Phase
from agent.incidents.marks import REAL
from agent.signals import Category, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.clock import Moment
    from agent.incidents.detection import Detection
    from agent.incidents.memory import SavedIncident
    from agent.incidents.turn import Turn

_PERSISTENT = frozenset({Category.FAULT, Category.TAMPER})
"""What lasts until it is reported restored."""

_WHEN_DUE: dict[Deadline, Callable[[Incident, Moment, Turn], None]] = {
    Deadline.HOLD: duress.held_long,
    Deadline.NO_CONNECTION: feedback.no_connection,
    Deadline.GROW: course.tell_growth,
    Deadline.CLIP: evidence.cut,
    Deadline.END: course.end,
    Deadline.OPERATOR_LATE: response.operator_late,
    Deadline.ESCALATE: response.escalate,
    Deadline.LIGHT: feedback.light_over,
    Deadline.PROOF: course.doubt,
    Deadline.FORGET: course.forget,
}

UNSURE_REVISIONS = 5
"""A help call's revisions leave in parallel with their storing, so a run that was killed may have told some that it
never stored. Their numbers must not come again with other words: the control room would take them for the same
message. More than these cannot be under way within one commit of some milliseconds."""


class Book:
    """All incidents that are not forgotten, in the order in which they were opened."""

    def __init__(self, new_id: Callable[[Category], str]) -> None:
        self._new_id = new_id
        self._incidents: dict[str, Incident] = {}

    def __iter__(self) -> Iterator[Incident]:
        return iter(self._incidents.values())

    def get(self, alert_id: str) -> Incident | None:
        """The incident of this alert."""
        return self._incidents.get(alert_id)

    def active(self, category: Category, cause: str, mark: str = REAL) -> Incident | None:
        """The one incident that grows with triggers of this cause, of those that are no test or the same one."""
        return next((each for each in self.all_active(category, cause) if each.mark == mark), None)

    def all_active(self, category: Category, cause: str) -> list[Incident]:
        """The incidents of this cause, tests or not."""
        of_cause = (category, cause, Phase.ACTIVE)
        return [each for each in self if (each.category, each.cause, each.phase) == of_cause]

    def unrestored(self, sensor: str) -> list[Incident]:
        """The incidents of a sensor that was tampered with and is not known to be at rest again."""
        of_sensor = [each for each in self if (each.category, each.cause) == (Category.TAMPER, sensor)]
        return [each for each in of_sensor if each.is_open and not each.restored]

    def holding(self, sensor: str) -> Incident | None:
        """The incident in which it is still open whether this button's press is a silent call."""
        return next((incident for incident in self if sensor in incident.held), None)

    @property
    def open_count(self) -> int:
        """How many incidents have no outcome."""
        return sum(incident.is_open for incident in self)

    @property
    def due_s(self) -> float | None:
        """The next deadline, on the monotonic clock."""
        waits = [wait[0].monotonic_s for incident in self if (wait := incident.next_deadline())]
        return min(waits, default=None)

    def trigger(
        self, category: Category, cause: str, detection: Detection, turn: Turn, text: str | None = None
    ) -> tuple[Incident, bool]:
        """Let the active incident of this cause grow, or open one; True with it when that said something new."""
        mark = turn.marks.of(detection.sensor, detection.last)
        incident = self.active(category, cause, mark)
        if incident is None:
            incident = Incident(
                alert_id=self._new_id(category),
                category=category,
                cause=cause,
                opened=detection.last,
                last=detection.last,
                mark=mark,
                persists=category in _PERSISTENT,
            )
            self._incidents[incident.alert_id] = incident
            course.begin(incident, detection.first, turn)
        incident.text = text
        if incident.restored:
            course.disturb(incident)
        return incident, course.grow(incident, detection, turn)

    def fire(self, until_s: float, turn: Turn) -> None:
        """Let happen what is due by then, in the order in which it was due."""
        while True:
            waits = [(*wait, incident) for incident in self if (wait := incident.next_deadline())]
            at, deadline, incident = min(waits, key=lambda wait: wait[0].monotonic_s, default=(None, None, None))
            if at is None or deadline is None or incident is None or at.monotonic_s > until_s:
                return
            del incident.deadlines[deadline]
            _WHEN_DUE[deadline](incident, at, turn)
            if deadline is Deadline.FORGET:
                del self._incidents[incident.alert_id]

    def restore(self, remembered: Iterable[SavedIncident], turn: Turn, *, crashed: bool) -> None:
        """Take up the incidents of an earlier run where they stood; one that crashed may have told more of them."""
        for saved in sorted(remembered, key=lambda each: each.incident.opened.wall):
            incident = saved.incident
            incident.deadlines = {
                deadline: carried_over(at, saved.saved, turn.now) for deadline, at in incident.deadlines.items()
            }
            duress.carried_over(incident)
            if crashed and incident.category is Category.HELP:
                incident.revision += UNSURE_REVISIONS
            if incident.told is not None:
                incident.told = turn.now  # only its age counts, and monotonic time of another boot has none
            if incident.persists and incident.phase is Phase.ACTIVE:
                incident.deadlines[Deadline.PROOF] = turn.now.later(course.PROOF_S)
            of_one = (incident.category, incident.cause, incident.mark)
            double = self.active(*of_one) if incident.phase is Phase.ACTIVE else None
            self._incidents[incident.alert_id] = incident
            evidence.take_up(incident, turn)
            turn.note("incident_restored", incident, category=incident.category, state=incident.phase)
            turn.keep(incident)
            if double is not None:
                _retire_older(double, incident, turn)
        in_order = sorted(self._incidents.values(), key=lambda each: each.opened.wall)
        self._incidents = {incident.alert_id: incident for incident in in_order}


def _retire_older(one: Incident, other: Incident, turn: Turn) -> None:
    """Two active incidents of one cause: only the later one grows on.

    A crash between two writes may leave them, or a disk that told of the last run only when this one had begun. An
    older fault is closed: nothing would ever tell that it is over but the later one.
    """
    older, later = sorted((one, other), key=lambda each: each.opened.wall)
    if older.category is Category.FAULT:
        told_on = f"told on as {later.alert_id}"
        course.close(older, Closing(Outcome.RESTORED, told_on, course.UNIT, turn.now), turn)
    else:
        course.end(older, turn.now, turn)
