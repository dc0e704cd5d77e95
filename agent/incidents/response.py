"""What the control room does about an incident, and what follows when it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.incidents import course, feedback
from agent.incidents.deadlines import Deadline
from agent.incidents.incident import Closing
from agent.signals import AckLevel

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn
    from agent.signals import Acknowledged


def acknowledged(incident: Incident, ack: Acknowledged, turn: Turn) -> None:
    """Take an acknowledgement. One that came before, or after the closing, changes nothing.

    It is about the incident as it stood with its revision. A closing by somebody who did not know of a later caller
    does not throw that caller away: it says that somebody has looked, and the incident stays open.
    """
    if not incident.is_open:
        if ack.level is not AckLevel.RECEIVER:
            turn.note("acknowledged_after_closing", incident, level=ack.level, by=ack.operator_ref)
        return
    if ack.level is AckLevel.RECEIVER:
        _received(incident, ack, turn, speaks=True)
        return
    closes = ack.level is AckLevel.CLOSED and ack.outcome is not None
    if ack.level is AckLevel.CLOSED and not closes:
        turn.note("closing_without_outcome", incident, by=ack.operator_ref)  # then it is known to be seen, no more
    if closes and ack.revision < incident.grown_in:
        turn.note("closing_of_less", incident, by=ack.operator_ref, closed=ack.revision, grown_in=incident.grown_in)
        closes = False
    is_first = incident.seen is None
    _seen(incident, ack, turn, speaks=not closes)
    if closes and ack.outcome is not None:
        course.close(incident, Closing(ack.outcome, ack.cause, ack.operator_ref, ack.at), turn)
    else:
        course.close_if_over(incident, ack.at, turn)
        if is_first:
            turn.tell(incident, ack.at)  # so that the control room knows that it was heard, and need not say it again


def _received(incident: Incident, ack: Acknowledged, turn: Turn, *, speaks: bool) -> None:
    if incident.received is not None:
        return
    incident.received = ack.at
    turn.note("incident_received", incident)
    incident.deadlines.pop(Deadline.NO_CONNECTION, None)
    if speaks:
        feedback.answer(incident, turn)
    turn.keep(incident)


def _seen(incident: Incident, ack: Acknowledged, turn: Turn, *, speaks: bool) -> None:
    _received(incident, ack, turn, speaks=False)  # whoever has seen it has it
    were_all_seen = incident.all_seen
    incident.seen_in = max(incident.seen_in, ack.revision)
    if incident.seen is None:
        incident.seen, incident.operator_ref = ack.at, ack.operator_ref
        turn.note("incident_seen", incident, by=ack.operator_ref)
    if incident.all_seen:
        incident.deadlines.pop(Deadline.OPERATOR_LATE, None)
        incident.deadlines.pop(Deadline.ESCALATE, None)
        if speaks and not were_all_seen:  # the last caller has not heard it yet
            feedback.answer(incident, turn)
    turn.keep(incident)


def operator_late(incident: Incident, at: Moment, turn: Turn) -> None:
    """Nobody has looked in the time they should."""
    incident.operator_late = True
    turn.note("operator_late", incident)
    turn.tell(incident, at)


def escalate(incident: Incident, at: Moment, turn: Turn) -> None:
    """Nobody has looked at all: somebody else must."""
    incident.escalated = True
    turn.note("incident_escalated", incident)
    turn.tell(incident, at)
