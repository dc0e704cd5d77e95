"""The only vocabulary the rooms of the agent share: what happened (signals) and what to do about it (actions).

Signals are past tense and carry the `Moment` at which the thing happened, not the one at which it was read.
Actions are imperative and are decided in `agent.incidents` alone. Everything here is a frozen value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.clock import Moment


class SensorKind(StrEnum):
    """What kind of evidence a sensor gives. Confirmation needs two *different* kinds (BS 8243, standards.md 1.4)."""

    BUTTON = "button"
    PHRASE = "phrase"
    PIR = "pir"
    TAMPER = "tamper"
    MAINS = "mains"
    LOUDNESS = "loudness"
    CAMERA = "camera"


HELP_CALL_KINDS = frozenset({SensorKind.BUTTON, SensorKind.PHRASE})
"""A person asks for help with these: they work whether the unit is set or not and are never inhibited."""


class Category(StrEnum):
    """What an alert is about; the last level of its topic."""

    HELP = "help"
    INTRUDER = "intruder"
    TAMPER = "tamper"
    FAULT = "fault"
    NOISE = "noise"
    TEST = "test"


class AckLevel(StrEnum):
    """What the control room says about an alert."""

    RECEIVER = "receiver"
    """A machine there has it and keeps it: it may leave the outbox."""
    OPERATOR = "operator"
    """A person there has seen it."""
    CLOSED = "closed"
    """A person there has given it an outcome."""


class Outcome(StrEnum):
    """How an incident ended."""

    GENUINE = "genuine"
    FALSE = "false"
    TEST = "test"
    RESTORED = "restored"
    """The unit itself closed it: a fault or tamper went away."""


class Media(StrEnum):
    """Footage that belongs to an incident."""

    STILL = "still"
    STRIP = "strip"
    """Before, at and after the trigger, side by side in one picture."""
    CLIP = "clip"


class CommandName(StrEnum):
    """What a unit can be told to do from outside."""

    STILL = "still"
    CLIP = "clip"
    FOOTAGE_HOLD = "footage-hold"
    FOOTAGE_RELEASE = "footage-release"
    LIGHT = "light"
    ANNOUNCE = "announce"
    SET = "set"
    UNSET = "unset"
    QUIET_CAUSE = "quiet-cause"
    TEST_ALERT = "test-alert"
    SELF_TEST = "self-test"
    UPLOAD = "upload"
    CONFIG_REPORT = "config-report"
    RESTART_PART = "restart-part"


class Answer(StrEnum):
    """What a unit says to a command: accepted, then running, then one of the rest. Refused at once, or after all."""

    ACCEPTED = "accepted"
    """It is understood, allowed and written down; it will not be done twice."""
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """Nothing was done."""
    FAILED = "failed"
    """It was begun and did not come to its end."""


class Why(StrEnum):
    """Why a message was refused, or a command failed; the `code` of the answer."""

    RETAINED = "retained"
    """A command is for now; a retained one would be carried out again at every reconnection."""
    OVERSIZED = "oversized"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CLOCK = "clock"
    """Whether it is in time cannot be told: the unit's clock is not set and the message has no expiry of its own."""
    REPLAYED = "replayed"
    """Its id was used before, for something else."""
    FORBIDDEN = "forbidden"
    """Who asks has no right to it."""
    ANOTHER_NAME = "another-name"
    """It says that it is from another console than the one whose certificate sent it."""
    BUSY = "busy"
    """The unit has its hands full with others of its kind."""
    UNAVAILABLE = "unavailable"
    """This unit has no such part, or its part does not work now."""
    SILENT_CALL = "silent-call"
    """Somebody at the scene called in silence: nothing there may show or sound."""
    NEVER_HELP = "never-help"
    """Nothing keeps a call for help from being told."""
    NO_FOOTAGE = "no-footage"
    EXISTS = "exists"
    """There is another one of this name already."""
    NOT_FOUND = "not-found"
    INTERRUPTED = "interrupted"
    """Something more important came between, or the unit was restarted."""
    TIMED_OUT = "timed-out"
    DISK = "disk"


# --- signals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """Somebody in the control room wants something done, and has the right to it."""

    id: str
    """As it came: unique for its source."""
    source: str
    """Which console: the one whose certificate the broker saw."""
    name: CommandName
    args: Mapping[str, Any]
    """As the command's schema has them."""
    by: str
    """The operator's reference."""
    at: Moment
    """When it came."""
    reason: str | None = None
    """Why, in the operator's words."""
    digest: str = ""
    """SHA-256 of what it says: the same id with another digest is another command."""

    @property
    def ref(self) -> str:
        """What it is known by on the unit."""
        return f"{self.source}#{self.id}"


@dataclass(frozen=True)
class Triggered:
    """A sensor went off."""

    sensor: str
    """The configured name of the input ("panic-1", "pir-1"), or of the microphone for a phrase."""
    kind: SensorKind
    at: Moment
    silent: bool = False
    """A duress call: nothing at the scene may show or sound."""
    label: str | None = None
    """The phrase's class, never its words (design rule 4); None for inputs."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """What the detector measured, by name with unit: `confidence`, `loudness_dba` ..."""
    since: Moment | None = None
    """When that began which went on until `at`, where it is known; footage reaches back to before it."""


@dataclass(frozen=True)
class Suspected:
    """A phrase is probably being said. It raises nothing: that takes a `Triggered`, which may never follow."""

    sensor: str
    """The microphone's configured name."""
    label: str
    """The phrase's class."""
    at: Moment
    silent: bool = False
    """It would be a duress call: nothing at the scene may show it."""


@dataclass(frozen=True)
class Restored:
    """A sensor came back to rest: the button was let go, the door closed, the mains returned."""

    sensor: str
    kind: SensorKind
    at: Moment


@dataclass(frozen=True)
class Faulted:
    """A part of the unit does not do its work."""

    part: str
    """The part's name: "recorder", "listener", "outbox", "input panic-1" ..."""
    code: str
    """A short stable word for the control room's rules: "stuck", "dead", "silent", "disk-full" ..."""
    text: str
    """One sentence for a person: what is wrong and what still works."""
    at: Moment


@dataclass(frozen=True)
class FaultCleared:
    """The part does its work again."""

    part: str
    code: str
    at: Moment


@dataclass(frozen=True)
class Acknowledged:
    """The control room answered an alert."""

    alert_id: str
    revision: int
    level: AckLevel
    at: Moment
    operator_ref: str | None = None
    outcome: Outcome | None = None
    cause: str | None = None
    """Why it was false or what the test was, in the operator's words."""


@dataclass(frozen=True)
class SetRequested:
    """Somebody sets (arms) or unsets the detectors by hand; it holds until the schedule's next change."""

    armed: bool
    by: str
    """Who: an operator reference, a key switch's name."""
    at: Moment
    command: str | None = None
    """The command that wants an answer (`Command.ref`); here and below None: nobody does."""


@dataclass(frozen=True)
class TestRequested:
    """Somebody wants a test alert through the whole chain."""

    by: str
    at: Moment
    command: str | None = None
    about: str | None = None
    """What it is for: an alert of its own, beside any other test alert. None: it is one with those."""


@dataclass(frozen=True)
class WalkTest:
    """Somebody triggers these sensors on purpose now: what they raise is a test, and nothing else is."""

    sensors: frozenset[str]
    """By their configured names; none: the walk test is over."""
    for_s: float
    """It is over by itself after this time: nobody's forgetting may turn a call into a test."""
    at: Moment


@dataclass(frozen=True)
class Proved:
    """Which sensors were proved where they are now (`agent.commission.standing`): what the others raise is a test."""

    nothing: bool
    """None was, or the unit stands elsewhere now."""
    besides: frozenset[str]
    """All but these were."""
    at: Moment


@dataclass(frozen=True)
class LightRequested:
    """Somebody wants light at the scene for this long; 0 puts out what was asked for before."""

    for_s: float
    by: str
    at: Moment
    command: str | None = None


@dataclass(frozen=True)
class AnnouncementRequested:
    """Somebody wants a stored message spoken."""

    message: str
    """Its configured name."""
    lasts_s: float
    by: str
    at: Moment
    command: str | None = None


@dataclass(frozen=True)
class QuietRequested:
    """Somebody wants no more alerts of one cause for a while; 0 s: they shall be told again."""

    cause: str
    """A detector's configured name, or a fault as `part:code`."""
    for_s: float
    by: str
    at: Moment
    command: str | None = None


@dataclass(frozen=True)
class MediaReady:
    """A still, a strip or a clip of an incident is stored on the unit."""

    alert_id: str
    media: Media
    at: Moment
    path: str
    """Where it lies on the unit."""
    sha256: str
    size_bytes: int
    start: Moment | None = None
    """The first frame's moment (of a still, its only one; of a strip, that of its first picture)."""
    end: Moment | None = None
    """The last frame's moment."""


@dataclass(frozen=True)
class MediaFailed:
    """A still, a strip or a clip could not be made."""

    alert_id: str
    media: Media
    reason: str
    at: Moment


@dataclass(frozen=True)
class MediaSent:
    """A still, a strip or a clip was uploaded where a command named, or could not be."""

    alert_id: str
    media: Media
    at: Moment
    host: str
    """Where to."""
    sha256: str | None = None
    """Of what was sent: of a clip that grew meanwhile it is that of the shorter one."""
    confirmed: str | None = None
    """How the server confirmed it (`agent.uplink.media.request.Confirmed`); None: it is not there."""
    reason: str | None = None
    """Why not."""


@dataclass(frozen=True)
class MediaUnderWay:
    """A still, a strip or a clip is being uploaded to where a command named."""

    alert_id: str
    media: Media
    at: Moment
    host: str
    """Where to."""
    percent: int
    """How much of it the server has."""


Requested = SetRequested | TestRequested | LightRequested | AnnouncementRequested | QuietRequested
"""What somebody wants of the unit."""
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


# --- actions -------------------------------------------------------------------------------------------------------


class LightPattern(StrEnum):
    """What the lamp shows. A person must tell `heard` from `seen` without knowing any code."""

    OFF = "off"
    STEADY = "steady"
    """White light on movement."""
    HEARD = "heard"
    """Quick even blinking: your call was heard here."""
    SEEN = "seen"
    """Steady with a short wink each two seconds: a person in the control room has seen it."""


class Line(StrEnum):
    """The short lines the speaker knows; the words lie beside the recordings (`agent/hw/lines`)."""

    HEARD = "heard"
    RECEIVED = "received"
    SEEN = "seen"
    NO_CONNECTION = "no-connection"
    SOUND_CHECK = "sound-check"
    """What the unit says to itself in its self-test (`agent.self_test`)."""
    TEST_TRIGGER = "test-trigger"
    TEST_SPEAK = "test-speak"
    TEST_NOTICED = "test-noticed"
    """To the engineer of a walk test, who stands at the sensor and not at the screen (`agent.commission`)."""


@dataclass(frozen=True)
class ShowLight:
    """Show this pattern until the next one."""

    pattern: LightPattern


@dataclass(frozen=True)
class SayLine:
    """Speak this line now; a newer line replaces one that is still being spoken."""

    line: Line


@dataclass(frozen=True)
class PlayMessage:
    """Speak the stored message of this name now, in the place of anything still being spoken."""

    message: str


@dataclass(frozen=True)
class TakeStill:
    """Make a still of the moment a sensor went off."""

    alert_id: str
    at: Moment
    media: ClassVar[Media] = Media.STILL


@dataclass(frozen=True)
class TakeStrip:
    """Make a strip of three pictures: before, at and after the moment a sensor went off."""

    alert_id: str
    at: Moment
    media: ClassVar[Media] = Media.STRIP


@dataclass(frozen=True)
class CutClip:
    """Cut the footage between these moments into a clip; `end` may lie a little in the future.

    One that was cut for the same alert before is replaced.
    """

    alert_id: str
    start: Moment
    end: Moment
    media: ClassVar[Media] = Media.CLIP


Filming = TakeStill | TakeStrip | CutClip
"""What is asked of the recorder: each is answered by a `MediaReady` or a `MediaFailed` of its `media`."""


@dataclass(frozen=True)
class Tell:
    """Send this revision of an alert to the control room, and keep it until the control room's receiver has it."""

    alert_id: str
    revision: int
    category: Category
    at: Moment
    """When what it tells happened."""
    data: Mapping[str, Any]
    """The `data` member of the alert message (schema `alert`), as far as the incident knows it."""
    urgent: bool = False
    """A help call: send it in parallel with storing it; the disk never delays it."""


@dataclass(frozen=True)
class Remember:
    """Keep this state of an incident over a restart; None forgets it."""

    alert_id: str
    state: Mapping[str, Any] | None


@dataclass(frozen=True)
class AnswerCommand:
    """How a command stands."""

    command: str
    """`Command.ref`."""
    answer: Answer
    why: Why | None = None
    """Why it was refused or failed."""
    text: str | None = None
    """The same for a person, or a word on what was done."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """What came of it, for the control room's programs."""


@dataclass(frozen=True)
class NoteOutcome:
    """Write down for good how an incident ended: the incident ledger."""

    alert_id: str
    category: Category
    outcome: Outcome | None
    """None: nobody gave it one, and it is forgotten."""
    cause: str | None
    """Why it was false or what the test was."""
    by: str | None
    """Who gave it its outcome: an operator, or `unit`."""


@dataclass(frozen=True)
class Log:
    """One line for the journal."""

    event: str
    alert_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


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
