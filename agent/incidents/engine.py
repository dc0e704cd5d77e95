"""The way in: signals and time go in, actions come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never
from zoneinfo import ZoneInfo

from agent.incidents import course, duress, evidence, feedback, memory, response
from agent.incidents.announcements import Announcements
from agent.incidents.arming import Arming
from agent.incidents.asked_light import AskedLight
from agent.incidents.book import Book
from agent.incidents.detection import Detection
from agent.incidents.detectors import Detectors
from agent.incidents.marks import Marks
from agent.incidents.motion_light import MotionLight
from agent.incidents.quiet import Quiet
from agent.incidents.second_evidence import SecondEvidence
from agent.incidents.suspicion import Suspicions
from agent.incidents.turn import Turn
from agent.signals import (
    HELP_CALL_KINDS,
    Acknowledged,
    AnnouncementRequested,
    Answer,
    Category,
    FaultCleared,
    Faulted,
    LightPattern,
    LightRequested,
    MediaFailed,
    MediaReady,
    MediaSent,
    MediaUnderWay,
    Proved,
    QuietRequested,
    Restored,
    SensorKind,
    SetRequested,
    Suspected,
    TestRequested,
    Triggered,
    WalkTest,
    Why,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.clock import Moment
    from agent.config.settings import Config
    from agent.incidents.incident import Incident
    from agent.signals import Action, Requested, Signal

HELP = "help"
"""The one cause of all help calls: whoever calls while a call is open is part of it."""
MAINS = "mains"
TEST = "test"


class Incidents:
    """What this unit knows to be going on, and what it does about it.

    Call `begin` once, then `handle` for each signal and `wake` when `due` says so. Each returns what is to be done,
    in the order in which it is to be done.
    """

    def __init__(self, config: Config, new_id: Callable[[Category], str]) -> None:
        zone = ZoneInfo(config.unit.timezone)
        self._config = config
        self._marks = Marks()
        self._book = Book(new_id)
        self._arming = Arming(config.arming, zone)
        self._motion_light = MotionLight(config.lamp, zone)
        self._suspicions = Suspicions(config.voice)
        self._second_evidence = SecondEvidence(config.voice)
        self._detectors = Detectors(config.incidents, self._book)
        self._quiet = Quiet(config)
        self._asked_light = AskedLight(has_lamp=config.lamp is not None)
        self._announcements = Announcements(has_speaker=config.speaker.enabled)
        self._pattern: LightPattern | None = None

    # --- what the daemon calls -----------------------------------------------------------------------------------

    def begin(self, remembered: Iterable[Mapping[str, Any]], now: Moment, *, crashed: bool = False) -> list[Action]:
        """Take up the states that `Remember` actions of earlier runs gave; show the lamp as it must be.

        A state this program cannot read is logged and left alone: it must not keep the unit from working.

        Args:
            remembered: Those states.
            now: The present moment.
            crashed: The last run did not end in order; it may have told more than it could store.
        """
        turn = Turn(self._config, now, self._marks)
        self._take_up(remembered, turn, crashed=crashed)
        return self._finish(turn)

    def resume(self, remembered: Iterable[Mapping[str, Any]], now: Moment, *, crashed: bool) -> list[Action]:
        """Take up states of earlier runs that could be read only after `begin`.

        What this run knows counts for more: of an incident that goes on, the one of this run grows on.

        Args:
            remembered: Those states, without what this run has remembered or forgotten itself.
            now: The present moment.
            crashed: As for `begin`.
        """
        turn = Turn(self._config, now, self._marks)
        was_armed = self.armed
        self._take_up(remembered, turn, crashed=crashed)
        self._note_arming(was_armed, turn)
        return self._finish(turn)

    def _take_up(self, remembered: Iterable[Mapping[str, Any]], turn: Turn, *, crashed: bool) -> None:
        now = turn.now
        incidents: list[memory.SavedIncident] = []
        for state in remembered:
            try:
                saved = memory.saved_in(state)
            except ValueError as error:
                turn.note("remembered_state_refused", reason=str(error))
                continue
            match saved:
                case memory.SavedArming():
                    self._arming.restore(saved)
                case memory.SavedQuiet():
                    self._quiet.restore(saved, turn)
                case memory.SavedIncident():
                    incidents.append(saved)
        self._arming.look(now)
        self._book.restore(incidents, turn, crashed=crashed)
        self._detectors.restore(now)

    def handle(self, signal: Signal, now: Moment) -> list[Action]:
        """Take a signal; what was due before it happened happens first."""
        turn = Turn(self._config, now, self._marks)
        happened_s = signal.at.monotonic_s if signal.at.boot_id == now.boot_id else now.monotonic_s
        self._let_happen(min(happened_s, now.monotonic_s), turn)
        match signal:
            case Triggered():
                self._triggered(signal, turn)
            case Suspected():
                self._suspicions.suspect(signal, in_silence=feedback.keeps_silence(self._book))
            case Restored():
                self._restored(signal, turn)
            case Faulted():
                self._announcements.part_lost(signal.part, turn)
                self._faulted(signal, turn)
            case FaultCleared():
                self._quiet.over(f"{signal.part}:{signal.code}")
                self._cleared(f"{signal.part}:{signal.code}", signal.at, turn)
            case Acknowledged():
                self._acknowledged(signal, turn)
            case SetRequested() | TestRequested() | LightRequested() | AnnouncementRequested() | QuietRequested():
                self._requested(signal, turn)
            case WalkTest() | Proved():
                self._marks.take(signal, turn)
            case MediaReady() | MediaFailed() | MediaSent() | MediaUnderWay():
                self._media(signal, turn)
            case _:
                assert_never(signal)
        return self._finish(turn)

    def wake(self, now: Moment) -> list[Action]:
        """Do what is due by now. Too early there is nothing to do; too late it is done once, as if in time."""
        return self._finish(Turn(self._config, now, self._marks))

    def due(self) -> float | None:
        """When `wake` should be called next, on the monotonic clock; None: nothing waits."""
        waits = (
            self._book.due_s,
            self._arming.due_s,
            self._motion_light.due_s,
            self._suspicions.due_s,
            self._detectors.due_s,
            self._quiet.due_s,
            self._asked_light.due_s,
            self._announcements.due_s,
        )
        return min((wait for wait in waits if wait is not None), default=None)

    @property
    def armed(self) -> bool:
        """Whether the detectors are set."""
        return self._arming.armed

    @property
    def open_count(self) -> int:
        """How many incidents have no outcome yet."""
        return self._book.open_count

    def without_outcome(self) -> list[Incident]:
        """The incidents that the control room still owes an outcome; to be looked at, and changed here alone."""
        return [each for each in self._book if each.is_open]

    def category_of(self, alert_id: str) -> Category | None:
        """What an incident is about; None: it is not remembered."""
        incident = self._book.get(alert_id)
        return None if incident is None else incident.category

    def has_fault(self, part: str, code: str) -> bool:
        """Whether this fault is told and not over."""
        return bool(self._book.all_active(Category.FAULT, f"{part}:{code}"))

    @property
    def announcing(self) -> bool:
        """Whether an operator's message is spoken or waits for its turn."""
        return self._announcements.under_way

    def summary(self) -> Mapping[str, Any]:
        """How things stand, for the heartbeat."""
        return {
            "arm": "set" if self.armed else "unset",
            "armedBy": self._arming.by,
            "inhibited": self._detectors.inhibited,
            "quiet": self._quiet.facts(),
            "open": [
                {"alertId": each.alert_id, "category": each.category, "state": each.phase, "revision": each.revision}
                for each in self._book
                if each.is_open
            ],
        }

    # --- time ----------------------------------------------------------------------------------------------------

    def _let_happen(self, until_s: float, turn: Turn) -> None:
        self._look_at_arming(turn)
        self._book.fire(until_s, turn)
        self._motion_light.look(turn.now)
        self._suspicions.look(turn.now)
        self._detectors.look(until_s, turn)
        self._asked_light.look(until_s, turn)
        lasting = self._quiet.look(until_s, turn)
        for each in lasting:
            self._faulted(each, turn) if isinstance(each, Faulted) else self._detected(each, turn)
        if lasting:
            self._book.fire(until_s, turn)  # what is part of a known incident may be due to be told at once

    def _finish(self, turn: Turn) -> list[Action]:
        self._let_happen(turn.now.monotonic_s, turn)
        if turn.spoke:
            self._announcements.line_spoken(turn)
        self._announcements.look(turn.now.monotonic_s, turn)
        lit = self._motion_light.lit or self._suspicions.lit or self._asked_light.lit
        pattern = feedback.lamp_pattern(self._book, lit=lit)
        if pattern is not self._pattern:
            self._pattern = pattern
            turn.show(pattern)
        return turn.finish(armed=self.armed)

    # --- what happens --------------------------------------------------------------------------------------------

    def _triggered(self, signal: Triggered, turn: Turn) -> None:
        if signal.kind is SensorKind.PIR:
            self._motion_light.moved(signal.sensor, signal.at, armed=self.armed)
            for call in self._second_evidence.moved(signal.sensor, signal.at):
                self._help_called(call, turn)
        if signal.kind is SensorKind.PHRASE:
            self._phrase_said(self._suspicions.reaching_back(signal), turn)
        elif signal.kind in HELP_CALL_KINDS:
            self._help_called(signal, turn)
        else:
            self._detected(signal, turn)

    def _detected(self, signal: Triggered, turn: Turn) -> None:
        """A detector went off."""
        if not turn.marks.walked(signal.sensor, signal.at) and self._quiet.holds_back(signal):
            return
        if signal.kind is SensorKind.MAINS:
            self._book.trigger(Category.FAULT, MAINS, Detection.of(signal), turn)
        else:
            self._detectors.triggered(signal, turn, armed=self.armed)

    def _faulted(self, signal: Faulted, turn: Turn) -> None:
        if self._quiet.holds_back(signal):
            return
        detection = Detection(signal.part, Category.FAULT, signal.at, signal.at, signal.code)
        category = Category.TAMPER if signal.tampered else Category.FAULT
        self._book.trigger(category, f"{signal.part}:{signal.code}", detection, turn, text=signal.text)

    def _phrase_said(self, signal: Triggered, turn: Turn) -> None:
        """A phrase was said: a call, unless it needs more; as part of a call that it makes no louder it does not."""
        call = self._book.active(Category.HELP, HELP, turn.marks.of(signal.sensor, signal.at))
        if (call is not None and (call.loud or signal.silent)) or self._second_evidence.suffices(signal):
            self._help_called(signal, turn)
        else:
            turn.note("phrase_waits_for_movement", sensor=signal.sensor, label=signal.label)

    def _help_called(self, signal: Triggered, turn: Turn) -> None:
        incident, is_news = self._book.trigger(Category.HELP, HELP, Detection.of(signal), turn)
        if is_news and incident.seen is not None:
            course.ask_again(incident, signal.at, turn)  # whoever looked has not seen this caller
        hold_s = duress.silent_after_s(self._config, signal)
        if hold_s is not None:
            duress.hold(incident, signal.sensor, signal.at.later(hold_s))
        elif signal.silent:
            turn.note("silent_call", incident, sensor=signal.sensor)
        elif not incident.loud:
            feedback.become_loud(incident, signal.at, turn)
        elif is_news:
            feedback.answer(incident, turn)  # somebody else calls, who has not heard the first answer

    def _restored(self, signal: Restored, turn: Turn) -> None:
        self._quiet.over(signal.sensor)
        match signal.kind:
            case SensorKind.BUTTON:
                if incident := self._book.holding(signal.sensor):
                    duress.let_go(incident, signal.sensor, signal.at, turn)
            case SensorKind.PIR:
                self._motion_light.rested(signal.sensor, signal.at)
                self._second_evidence.rested(signal.sensor, signal.at)
            case SensorKind.MAINS:
                self._cleared(MAINS, signal.at, turn)
            case SensorKind.TAMPER | SensorKind.CAMERA:
                for incident in self._book.unrestored(signal.sensor):
                    course.come_to_rest(incident, signal.at, turn)
            case SensorKind.PHRASE | SensorKind.LOUDNESS:
                pass  # a sound is over when it is over; nothing waits for that

    def _cleared(self, cause: str, at: Moment, turn: Turn) -> None:
        for incident in [*self._book.all_active(Category.FAULT, cause), *self._book.unrestored(cause)]:
            course.come_to_rest(incident, at, turn)

    # --- the control room ----------------------------------------------------------------------------------------

    def _acknowledged(self, ack: Acknowledged, turn: Turn) -> None:
        incident = self._book.get(ack.alert_id)
        if incident is None:
            turn.note("unknown_alert_acknowledged", alert=ack.alert_id, level=ack.level)
            return
        response.acknowledged(incident, ack, turn)
        self._detectors.fault_closed(turn, ack.operator_ref)

    def _media(self, signal: MediaReady | MediaFailed | MediaSent | MediaUnderWay, turn: Turn) -> None:
        incident = self._book.get(signal.alert_id)
        if incident is None:
            turn.note("footage_of_unknown_alert", alert=signal.alert_id, media=signal.media)
            return
        if isinstance(signal, MediaReady):
            evidence.ready(incident, signal, turn)
        elif isinstance(signal, MediaSent):
            evidence.sent(incident, signal, turn)
        elif isinstance(signal, MediaUnderWay):
            evidence.under_way(incident, signal, turn)
        else:
            evidence.failed(incident, signal, turn)
        course.plan_forgetting(incident, signal.at)

    def _requested(self, request: Requested, turn: Turn) -> None:
        """The control room, or somebody at the unit, wants something of it."""
        in_silence = feedback.keeps_silence(self._book)
        match request:
            case SetRequested():
                self._set_requested(request, turn)
            case TestRequested():
                self._test_requested(request, turn)
            case LightRequested():
                self._asked_light.ask(request, turn, in_silence=in_silence)
            case AnnouncementRequested():
                self._announcements.ask(request, turn, in_silence=in_silence)
            case QuietRequested():
                self._quiet.ask(request, turn)

    def _test_requested(self, request: TestRequested, turn: Turn) -> None:
        detection = Detection(request.by, Category.TEST, request.at, request.at)
        cause, text = TEST, f"asked for by {request.by}"
        if request.about is not None:
            cause, text = f"{TEST}:{request.about}", request.about
        incident, _ = self._book.trigger(Category.TEST, cause, detection, turn, text=text)
        turn.answer(request.command, Answer.DONE, "a test alert was raised", alertId=incident.alert_id)

    # --- arming --------------------------------------------------------------------------------------------------

    def _set_requested(self, request: SetRequested, turn: Turn) -> None:
        was_armed = self.armed
        saved = self._arming.request(turn.now, armed=request.armed, by=request.by)
        if saved is None:
            reason = "the arming mode of this unit is always"
            turn.note("set_request_refused", by=request.by, reason=reason)
            turn.refuse(request.command, Why.UNAVAILABLE, f"nobody sets or unsets it: {reason}")
            return
        turn.keep_arming(saved)
        word = "set" if saved.armed else "unset"
        turn.answer(request.command, Answer.DONE, f"the detectors are {word}", arm=word, until=saved.until)
        self._note_arming(was_armed, turn)

    def _look_at_arming(self, turn: Turn) -> None:
        was_armed = self.armed
        self._arming.look(turn.now)
        self._note_arming(was_armed, turn)

    def _note_arming(self, was_armed: bool, turn: Turn) -> None:  # noqa: FBT001 - there is nothing else it could be
        if self.armed is not was_armed:
            turn.note("detectors_set" if self.armed else "detectors_unset", by=self._arming.by)
            if not self.armed:
                self._detectors.unset()
