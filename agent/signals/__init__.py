"""The only vocabulary the rooms of the agent share: what happened (signals) and what to do about it (actions).

Signals are past tense and carry the `Moment` at which the thing happened, not the one at which it was read.
Actions are imperative and are decided in `agent.incidents` alone. Everything here is a frozen value.

Each file holds one subject, signals and actions of it together. What the unit notices: `sensed`, `faults`, `proving`.
What people want of it: `commands`, `requests`. What it does and tells: `scene`, `media`, `alerts`, `records`.
The rooms import all of it from here.
"""

from agent.signals.alerts import AckLevel, Acknowledged, Category, Outcome, Tell
from agent.signals.commands import Answer, AnswerCommand, Command, CommandName, Why
from agent.signals.faults import FaultCleared, Faulted
from agent.signals.media import (
    CutClip,
    Filming,
    Media,
    MediaFailed,
    MediaReady,
    MediaSent,
    MediaUnderWay,
    TakeStill,
    TakeStrip,
)
from agent.signals.proving import Proved, WalkTest
from agent.signals.records import Log, NoteOutcome, Remember
from agent.signals.requests import (
    AnnouncementRequested,
    LightRequested,
    QuietRequested,
    Requested,
    SetRequested,
    TestRequested,
)
from agent.signals.scene import LightPattern, Line, PlayMessage, SayLine, ShowLight
from agent.signals.sensed import HELP_CALL_KINDS, Restored, SensorKind, Suspected, Triggered

Signal = (
    Triggered
    | Suspected
    | Restored
    | Faulted
    | FaultCleared
    | Acknowledged
    | Requested
    | WalkTest
    | Proved
    | MediaReady
    | MediaFailed
    | MediaSent
    | MediaUnderWay
)
"""What happened: all that the incidents are told."""
Action = (
    ShowLight
    | SayLine
    | PlayMessage
    | TakeStill
    | TakeStrip
    | CutClip
    | Tell
    | Remember
    | AnswerCommand
    | NoteOutcome
    | Log
)
"""What to do about it: all that the incidents decide."""

__all__ = [
    "HELP_CALL_KINDS",
    "AckLevel",
    "Acknowledged",
    "Action",
    "AnnouncementRequested",
    "Answer",
    "AnswerCommand",
    "Category",
    "Command",
    "CommandName",
    "CutClip",
    "FaultCleared",
    "Faulted",
    "Filming",
    "LightPattern",
    "LightRequested",
    "Line",
    "Log",
    "Media",
    "MediaFailed",
    "MediaReady",
    "MediaSent",
    "MediaUnderWay",
    "NoteOutcome",
    "Outcome",
    "PlayMessage",
    "Proved",
    "QuietRequested",
    "Remember",
    "Requested",
    "Restored",
    "SayLine",
    "SensorKind",
    "SetRequested",
    "ShowLight",
    "Signal",
    "Suspected",
    "TakeStill",
    "TakeStrip",
    "Tell",
    "TestRequested",
    "Triggered",
    "WalkTest",
    "Why",
]
