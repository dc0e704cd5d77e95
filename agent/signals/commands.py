"""What the control room can tell a unit to do, and how the unit answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.clock import Moment


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
