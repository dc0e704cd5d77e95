"""The course of an incident: opened, growing, ended, closed, forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.incidents import evidence
from agent.incidents.categories import NATURES, escalate_s, operator_late_s
from agent.incidents.deadlines import Deadline
from agent.incidents.detection import newest
from agent.incidents.incident import Closing, Phase
from agent.signals import HELP_CALL_KINDS, Category, Outcome

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.incidents.detection import Detection
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn

UNIT = "unit"
"""Who closes what went away by itself."""
PROOF_S = 120.0
"""A fault that is still there is reported again within 60 s of a start (standards.md goal 10); twice that without a
word, and it went away while nobody looked."""
SOMEBODY_ELSE_S = 10.0
"""Whoever hammers on a button, or calls again and again, is one caller, and so is one who still holds it when the unit
is back from a restart (2 to 5 s). Who presses it, or says the words, so long after the last time may be another one."""
UNANSWERED_KEPT_S = 7 * 86_400.0
"""An incident nobody closes is forgotten with its retained message, after 604,800 s (standards.md 3.3)."""
CLOSED_KEPT_S = 3600.0
"""A closed incident stays known while the acknowledgements of its last revisions are on their way."""


def begin(incident: Incident, began: Moment, turn: Turn) -> None:
    """A new incident: its footage is asked for, from before it began, and the operator's time begins to run."""
    ask_again(incident, incident.opened, turn)
    evidence.begin(incident, began, turn)
    turn.note("incident_opened", incident, category=incident.category, cause=incident.cause)
    turn.tell(incident, incident.opened)


def grow(incident: Incident, detection: Detection, turn: Turn) -> bool:
    """One more trigger of an active incident; True when it says something new, which is told at once."""
    calls_anew = _calls_anew(incident, detection)
    is_news = incident.add(detection) or calls_anew
    incident.deadlines.pop(Deadline.PROOF, None)
    if not incident.persists:
        incident.deadlines[Deadline.END] = incident.last.later(turn.config.footage.post_event_s)
    evidence.follow(incident, incident.last, turn)
    if is_news:
        incident.grown_in = incident.revision + 1
        turn.tell(incident, detection.last)
    else:
        mention(incident, detection.last, turn)
    return is_news


def _calls_anew(incident: Incident, detection: Detection) -> bool:
    """Whether this call by a button or words that called before may be somebody else's."""
    if detection.kind not in HELP_CALL_KINDS:
        return False
    known = next((each.last for each in incident.detections if each.same_detector(detection)), detection.last)
    return known.boot_id != detection.last.boot_id or detection.last.monotonic_s - known.monotonic_s >= SOMEBODY_ELSE_S


def ask_again(incident: Incident, at: Moment, turn: Turn) -> None:
    """Somebody has seen it, but not this: the operator's time begins to run anew."""
    settings = turn.config.incidents
    incident.deadlines[Deadline.OPERATOR_LATE] = at.later(operator_late_s(incident.category, settings))
    if NATURES[incident.category].escalates:
        incident.deadlines[Deadline.ESCALATE] = at.later(escalate_s(incident.category, settings))
    turn.keep(incident)


def mention(incident: Incident, at: Moment, turn: Turn) -> None:
    """Tell of a mere count with the next revision, or by itself when one may come again."""
    told = incident.told or turn.now
    may_tell = told.later(turn.config.incidents.grow_every_s)
    incident.deadlines.setdefault(Deadline.GROW, newest(may_tell, at))
    turn.keep(incident)


def tell_growth(incident: Incident, at: Moment, turn: Turn) -> None:
    """A count has waited long enough."""
    turn.tell(incident, at)


def come_to_rest(incident: Incident, at: Moment, turn: Turn) -> None:
    """What the incident is about went away.

    A fault is closed with that: nobody has to look at what works. Tamper is not: somebody was at the unit, and a
    shut door hides it. It is told as restored, ends after the post-event time (opened again before that, it is the
    same event), and is closed once an operator has seen it as well.
    """
    if incident.category is Category.FAULT:
        close(incident, Closing(Outcome.RESTORED, None, UNIT, at), turn)
        return
    incident.persists, incident.restored = False, True
    if incident.phase is Phase.ENDED:
        turn.tell(incident, at)
        close_if_over(incident, at, turn)
        return
    evidence.follow(incident, at, turn)  # who shuts the door belongs to the event
    mention(incident, at, turn)  # a door that bangs in the wind does not write a revision each time
    end_at = incident.last.later(turn.config.footage.post_event_s)
    incident.deadlines[Deadline.END] = newest(end_at, at)


def disturb(incident: Incident) -> None:
    """What had come to rest is there again: the incident lasts on."""
    incident.persists, incident.restored = True, False
    incident.deadlines.pop(Deadline.END, None)


def end(incident: Incident, at: Moment, turn: Turn) -> None:
    """The event is over; the next trigger is another one, so that a second call is not buried in an old one."""
    incident.enter(Phase.ENDED)
    for deadline in (Deadline.END, Deadline.GROW, Deadline.PROOF):
        incident.deadlines.pop(deadline, None)
    if incident.category is Category.HELP:
        incident.deadlines[Deadline.LIGHT] = at.later(turn.config.incidents.light_after_event_s)
    incident.deadlines[Deadline.FORGET] = at.later(UNANSWERED_KEPT_S)
    turn.note("incident_ended", incident)
    turn.tell(incident, at)
    close_if_over(incident, at, turn)


def close_if_over(incident: Incident, at: Moment, turn: Turn) -> None:
    """Close what has ended, was restored and was seen."""
    if incident.phase is Phase.ENDED and incident.restored and incident.seen is not None:
        close(incident, Closing(Outcome.RESTORED, None, UNIT, at), turn)


def close(incident: Incident, closing: Closing, turn: Turn) -> None:
    """Give the incident its outcome. Nothing is waited for after that but its clip."""
    incident.enter(Phase.CLOSED)
    incident.closing = closing
    incident.held.clear()
    clip_at = incident.deadlines.get(Deadline.CLIP)
    incident.deadlines.clear()
    if clip_at is not None:
        incident.deadlines[Deadline.CLIP] = clip_at
    plan_forgetting(incident, closing.at)
    turn.note("incident_closed", incident, outcome=closing.outcome, cause=closing.cause, by=closing.by)
    turn.note_outcome(incident)
    turn.tell(incident, closing.at)


def plan_forgetting(incident: Incident, at: Moment) -> None:
    """A closed incident is kept for its footage, and then for a little while."""
    if not incident.is_open:
        kept_s = CLOSED_KEPT_S if evidence.settled(incident) else UNANSWERED_KEPT_S
        incident.deadlines[Deadline.FORGET] = at.later(kept_s)


def doubt(incident: Incident, at: Moment, turn: Turn) -> None:
    """What lasted before a restart was not reported again.

    A fault is taken as gone. Of tamper nobody saw the end, so it is not called restored; but its event is over, and
    the next trigger opens an incident of its own.
    """
    turn.note("not_reported_since_restart", incident)
    if incident.category is Category.FAULT:
        closing = Closing(Outcome.RESTORED, "not reported again after a restart of the unit", UNIT, at)
        close(incident, closing, turn)
    else:
        incident.persists = False
        end(incident, at, turn)


def forget(incident: Incident, _at: Moment, turn: Turn) -> None:
    """Nothing more can come of it."""
    if incident.is_open:
        turn.note("incident_never_closed", incident, category=incident.category, kept_s=UNANSWERED_KEPT_S)
        turn.note_outcome(incident)
    incident.deadlines.clear()
    turn.forget(incident)
