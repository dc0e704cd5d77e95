"""Detectors of the premises: what they raise, how they confirm each other, and when they are inhibited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.incidents import course
from agent.incidents.confirmation import Witnesses
from agent.incidents.deadlines import Deadline
from agent.incidents.detection import Detection
from agent.incidents.runaway import Runaway
from agent.signals import Category, SensorKind

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import IncidentSettings
    from agent.incidents.book import Book
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn
    from agent.signals import Triggered

CATEGORIES = {
    SensorKind.PIR: Category.INTRUDER,
    SensorKind.LOUDNESS: Category.NOISE,
    SensorKind.TAMPER: Category.TAMPER,
    SensorKind.CAMERA: Category.TAMPER,
}
"""Detectors guess, people know: only the alerts of these confirm each other, and only these can run away."""

NEEDS_SET = frozenset({SensorKind.PIR, SensorKind.LOUDNESS})
"""Detectors that raise alerts only while the unit is set; tamper always does."""

RUNAWAY_PART = "detectors"
RUNAWAY_CAUSE = f"{RUNAWAY_PART}:runaway"
"""Part and code of the fault that reports the inhibit."""


class Detectors:
    """Turns the triggers of detectors into incidents, as long as they deserve it."""

    def __init__(self, settings: IncidentSettings, book: Book) -> None:
        self._settings = settings
        self._book = book
        self._witnesses = Witnesses(settings.confirm_within_s)
        self._runaway = Runaway(settings)

    @property
    def inhibited(self) -> bool:
        """Whether their triggers are only counted."""
        return self._runaway.inhibited

    @property
    def due_s(self) -> float | None:
        """When an inhibit may end, on the monotonic clock."""
        ends = self._runaway.ends
        return None if ends is None else ends.monotonic_s

    def restore(self, now: Moment) -> None:
        """Go on with an inhibit that stood before a restart."""
        if (fault := self._fault()) and not self._runaway.inhibited:
            self._runaway.inhibit(now)
            fault.deadlines.pop(Deadline.PROOF, None)  # nobody but us reports it

    def triggered(self, signal: Triggered, turn: Turn, *, armed: bool) -> None:
        """A detector went off."""
        walked = turn.marks.walked(signal.sensor, signal.at)
        if signal.kind in NEEDS_SET and not armed and not walked:
            return
        category = CATEGORIES[signal.kind]
        # Tamper is of one sensor; whatever moves or makes noise on the premises is one event.
        cause = signal.sensor if category is Category.TAMPER else category.value
        if walked:  # on purpose: it bears nothing out, and never runs away
            self._book.trigger(category, cause, Detection.of(signal), turn)
            return
        opens = self._book.active(category, cause, turn.marks.of(signal.sensor, signal.at)) is None
        if self._runaway.inhibited and not self._passes(category, cause, opens=opens):
            self._suppress(signal.at, turn)
            return
        detection = Detection.of(signal)
        incident, _ = self._book.trigger(category, cause, detection, turn)
        if armed:
            self._witnesses.hear(detection, incident, turn)
        if opens and self._runaway.opened(signal.at, cause):
            self._inhibit(signal.at, turn)

    def unset(self) -> None:
        """The unit was unset: what triggered before bears nothing out after it is set again."""
        self._witnesses.forget()

    def look(self, until_s: float, turn: Turn) -> None:
        """End an inhibit whose time is over."""
        ends = self._runaway.ends
        if ends is None or ends.monotonic_s > until_s:
            return
        self._release(turn, by=course.UNIT)
        if fault := self._fault():
            course.come_to_rest(fault, ends, turn)

    def fault_closed(self, turn: Turn, by: str | None) -> None:
        """The control room closed an incident: when it was the report of an inhibit, that ends.

        An operator has looked, and the detectors get another chance.
        """
        if self._runaway.inhibited and self._fault() is None:
            self._release(turn, by=by)

    def _passes(self, category: Category, cause: str, *, opens: bool) -> bool:
        """Whether tamper is told though detectors are inhibited.

        Whoever makes a PIR run away must not be able to cover the camera unseen. A sensor that ran away itself is
        silenced, and each other one has a single alert; what belongs to an alert that is open costs none.
        """
        return category is Category.TAMPER and not (opens and self._runaway.holds_back(cause))

    def _inhibit(self, at: Moment, turn: Turn) -> None:
        self._runaway.inhibit(at)
        text = (
            f"{self._settings.runaway_alerts} detector alerts within {self._settings.runaway_within_s:g} s: "
            "detectors are inhibited, help calls work"
        )
        detection = Detection(RUNAWAY_PART, Category.FAULT, at, at, "runaway")
        self._book.trigger(Category.FAULT, RUNAWAY_CAUSE, detection, turn, text=text)

    def _suppress(self, at: Moment, turn: Turn) -> None:
        self._runaway.triggered(at)
        if fault := self._fault():
            fault.suppressed += 1
            course.mention(fault, at, turn)

    def _release(self, turn: Turn, by: str | None) -> None:
        self._runaway.release()
        turn.note("detectors_released", by=by)

    def _fault(self) -> Incident | None:
        return next(iter(self._book.all_active(Category.FAULT, RUNAWAY_CAUSE)), None)
