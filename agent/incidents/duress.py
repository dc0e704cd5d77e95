"""Silent calls: a marked phrase, or a button that is held down. Nothing at the scene may show that they were made.

A button that is pressed may still become a silent call, so the alert leaves at once, as a silent one, and lamp and
speaker wait until the button is let go in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.incidents import feedback
from agent.incidents.deadlines import Deadline
from agent.signals import SensorKind

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import Config
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn
    from agent.signals import Triggered


def silent_after_s(config: Config, signal: Triggered) -> float | None:
    """For how long this button must be held to be a silent call; None: it is none of these."""
    if signal.kind is not SensorKind.BUTTON or signal.silent:
        return None
    return next((each.silent_after_s for each in config.inputs if each.name == signal.sensor), None)


def hold(incident: Incident, sensor: str, until: Moment) -> None:
    """The button is down: whether the call is a silent one shows at `until`."""
    incident.held[sensor] = until
    _wait(incident)


def let_go(incident: Incident, sensor: str, at: Moment, turn: Turn) -> None:
    """The button was let go in time: an open call."""
    del incident.held[sensor]
    _wait(incident)
    if incident.loud:
        turn.tell(incident, at)
    else:
        feedback.become_loud(incident, at, turn)


def held_long(incident: Incident, at: Moment, turn: Turn) -> None:
    """The button is still down: a silent call, whatever else the incident holds."""
    for sensor in [each for each, until in incident.held.items() if until.monotonic_s <= at.monotonic_s]:
        del incident.held[sensor]
        for detection in incident.detections:
            if detection.sensor == sensor:
                detection.silent = True
        turn.note("call_stays_silent", incident, sensor=sensor)
    _wait(incident)
    if incident.loud:
        turn.tell(incident, at)
    else:  # a silent incident was told as one from its first revision
        turn.keep(incident)


def carried_over(incident: Incident) -> None:
    """After a restart the holds stand as the deadline for them does."""
    if Deadline.HOLD in incident.deadlines:
        incident.held = dict.fromkeys(incident.held, incident.deadlines[Deadline.HOLD])


def _wait(incident: Incident) -> None:
    if incident.held:
        incident.deadlines[Deadline.HOLD] = min(incident.held.values())
    else:
        incident.deadlines.pop(Deadline.HOLD, None)
