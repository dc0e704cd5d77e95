"""One call of the engine: its moment, and what was decided in it, in the order in which it is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.incidents import memory
from agent.incidents.deadlines import Deadline
from agent.incidents.telling import alert_data
from agent.signals import (
    Answer,
    AnswerCommand,
    Category,
    CutClip,
    LightPattern,
    Line,
    Log,
    NoteOutcome,
    PlayMessage,
    Remember,
    SayLine,
    ShowLight,
    TakeStill,
    TakeStrip,
    Tell,
)

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import Config
    from agent.incidents.incident import Incident
    from agent.incidents.marks import Marks
    from agent.signals import Action, Filming, Why

_ORDER = (
    *(ShowLight, SayLine, PlayMessage, Tell, Remember, TakeStill, TakeStrip, CutClip, AnswerCommand, NoteOutcome, Log),
)
"""The person at the scene first: light within 10 ms; then the control room; then the footage, which can wait."""


class Turn:
    """Collects what one call decides; however much happens to an incident in it, that is one revision."""

    def __init__(self, config: Config, now: Moment, marks: Marks) -> None:
        self.config = config
        self.now = now
        self.marks = marks
        self._actions: list[Action] = []
        self._told: dict[str, tuple[Incident, Moment]] = {}
        self._kept: dict[str, Incident] = {}

    def show(self, pattern: LightPattern) -> None:
        """Change what the lamp shows."""
        self._actions.append(ShowLight(pattern))

    def say(self, line: Line) -> None:
        """Speak to the person at the scene."""
        self._actions.append(SayLine(line))

    @property
    def spoke(self) -> bool:
        """Whether a line is spoken in this turn."""
        return any(isinstance(action, SayLine) for action in self._actions)

    def play(self, message: str) -> None:
        """Speak a stored message."""
        self._actions.append(PlayMessage(message))

    def answer(self, command: str | None, answer: Answer, text: str, **result: Any) -> None:  # noqa: ANN401 - JSON
        """Say how a command stands, if a command wanted it."""
        if command is not None:
            self._actions.append(AnswerCommand(command, answer, None, text, result))

    def refuse(self, command: str | None, why: Why, text: str, *, begun: bool = False) -> None:
        """Say that a command is not carried out, or not to its end."""
        if command is not None:
            answer = Answer.FAILED if begun else Answer.REFUSED
            self._actions.append(AnswerCommand(command, answer, why, text))

    def film(self, request: Filming) -> None:
        """Ask for footage."""
        self._actions.append(request)

    def note(self, event: str, incident: Incident | None = None, **facts: Any) -> None:  # noqa: ANN401 - Log's own
        """Write a line into the journal."""
        self._actions.append(Log(event, None if incident is None else incident.alert_id, facts))

    def note_outcome(self, incident: Incident) -> None:
        """Write down for good how the incident ended, or that nobody closed it."""
        closing = incident.closing
        outcome, cause, by = (None, None, None) if closing is None else (closing.outcome, closing.cause, closing.by)
        self._actions.append(NoteOutcome(incident.alert_id, incident.category, outcome, cause, by))

    def keep(self, incident: Incident) -> None:
        """The incident has changed and is to be remembered so."""
        self._kept[incident.alert_id] = incident

    def keep_arming(self, saved: memory.SavedArming) -> None:
        """Remember who set or unset the unit by hand."""
        self._actions.append(Remember(memory.ARMING_KEY, memory.state_of(saved)))

    def keep_quiet(self, saved: memory.SavedQuiet | None) -> None:
        """Remember which causes are quiet; None: none is."""
        self._actions.append(Remember(memory.QUIET_KEY, None if saved is None else memory.state_of(saved)))

    def tell(self, incident: Incident, at: Moment) -> None:
        """The control room is to know how the incident stands.

        Args:
            incident: What it is about.
            at: When that happened which it is told for.
        """
        self._told[incident.alert_id] = (incident, at)
        self.keep(incident)

    def forget(self, incident: Incident) -> None:
        """Nothing more can come of the incident; what is still to be told of it is told."""
        self._kept.pop(incident.alert_id, None)
        self._actions.append(Remember(incident.alert_id, None))

    def finish(self, *, armed: bool) -> list[Action]:
        """All actions, in order; help calls before other incidents."""
        self._actions += [
            self._revision(incident, at, armed=armed)
            for incident, at in sorted(self._told.values(), key=lambda told: told[0].category is not Category.HELP)
        ]
        self._actions += [
            Remember(alert_id, memory.state_of(memory.SavedIncident(self.now, incident)))
            for alert_id, incident in self._kept.items()
        ]
        return sorted(self._actions, key=lambda action: _ORDER.index(type(action)))

    def _revision(self, incident: Incident, at: Moment, *, armed: bool) -> Tell:
        incident.revision += 1
        incident.told = self.now
        incident.deadlines.pop(Deadline.GROW, None)
        return Tell(
            incident.alert_id,
            incident.revision,
            incident.category,
            at,
            alert_data(incident, self.config, armed=armed),
            urgent=incident.category is Category.HELP,
        )
