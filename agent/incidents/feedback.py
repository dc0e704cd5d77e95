"""What the person at the scene sees and hears of a help call: heard, received, seen, or "phone instead"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.incidents.deadlines import Deadline
from agent.incidents.incident import Phase
from agent.signals import Category, LightPattern, Line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.clock import Moment
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn


def lamp_pattern(incidents: Iterable[Incident], *, lit: bool) -> LightPattern:
    """What the lamp has to show.

    Args:
        incidents: All that are known, in the order in which they were opened.
        lit: Movement, or what may become a call, lights the lamp now.

    Returns:
        The pattern of the latest open help call; an older one that was seen already must not tell a new caller that
        he was. Else light for an intruder, or where it is lit without an incident.
    """
    newest_call: Incident | None = None
    for incident in incidents:
        if _answers(incident):
            newest_call = incident
        lit = lit or (incident.category is Category.INTRUDER and incident.phase is Phase.ACTIVE)
    if newest_call is not None:
        return LightPattern.SEEN if newest_call.all_seen else LightPattern.HEARD
    return LightPattern.STEADY if lit else LightPattern.OFF


def _answers(incident: Incident) -> bool:
    """Whether lamp and speaker still answer this call; when nobody can be standing there any more they rest."""
    return incident.loud and (incident.phase is Phase.ACTIVE or Deadline.LIGHT in incident.deadlines)


def keeps_silence(incidents: Iterable[Incident]) -> bool:
    """Whether a silent call goes on, or ended so lately that whoever made it may still be there."""
    return any(
        incident.category is Category.HELP
        and not incident.loud
        and (incident.phase is Phase.ACTIVE or Deadline.LIGHT in incident.deadlines)
        for incident in incidents
    )


def answer(incident: Incident, turn: Turn) -> None:
    """Tell the caller how far the call has come."""
    if not _answers(incident):
        return
    if incident.all_seen:
        turn.say(Line.SEEN)
    else:
        turn.say(Line.RECEIVED if incident.received else Line.HEARD)


def become_loud(incident: Incident, at: Moment, turn: Turn) -> None:
    """Somebody calls openly: from now on lamp and speaker answer, also where the first caller stayed silent."""
    incident.loud = True
    answer(incident, turn)
    if incident.received is None:
        incident.deadlines[Deadline.NO_CONNECTION] = incident.opened.later(turn.config.incidents.receiver_late_s)
    if incident.revision:
        turn.note("call_became_loud", incident)
    turn.tell(incident, at)


def no_connection(incident: Incident, _at: Moment, turn: Turn) -> None:
    """Nobody has the call: the person must not rely on it. Repeated until somebody has."""
    turn.say(Line.NO_CONNECTION)
    turn.note("call_not_received", incident)
    incident.deadlines[Deadline.NO_CONNECTION] = turn.now.later(turn.config.incidents.repeat_no_connection_s)
    turn.keep(incident)


def light_over(incident: Incident, _at: Moment, turn: Turn) -> None:
    """An ended call was shown for long enough. That this wait is over puts out the lamp; the speaker rests too."""
    incident.deadlines.pop(Deadline.NO_CONNECTION, None)
    turn.keep(incident)
