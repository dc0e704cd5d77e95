"""What is said over the local socket: one JSON object a line, each with its `type`, all checked at both ends."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from agent.signals import Line  # noqa: TC001 - pydantic reads the types

MAX_REQUEST_BYTES: Final = 4096
"""Of a line to the unit; the longest that makes sense names 32 sensors."""
MAX_NEWS_BYTES: Final = 256 * 1024
"""Of a line from the unit: its facts are the longest."""
LONGEST_WALK_S: Final = 900.0
"""A walk test of one sensor; nobody's forgetting may turn a call into a test for longer."""
LONGEST_LIGHT_S: Final = 600.0

_strict = ConfigDict(extra="forbid", strict=True)
Text = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[ -~]+$")]


# --- asked of the unit -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=_strict)
class AskFacts:
    """What the unit says of itself, as in its heartbeat."""

    type: Literal["ask-facts"] = "ask-facts"


@dataclass(frozen=True, config=_strict)
class Say:
    """Speak this line."""

    line: Annotated[Line, Field(strict=False)]
    type: Literal["say"] = "say"


@dataclass(frozen=True, config=_strict)
class Light:
    """Light the lamp for this long; 0 puts it out."""

    for_s: Annotated[float, Field(ge=0, le=LONGEST_LIGHT_S)]
    type: Literal["light"] = "light"


@dataclass(frozen=True, config=_strict)
class Listen:
    """Make the acoustic self-test; the facts say what it came to."""

    type: Literal["listen"] = "listen"


@dataclass(frozen=True, config=_strict)
class Walk:
    """What these sensors raise is a test; none: the walk test is over. It is over, too, when the asker hangs up."""

    sensors: Annotated[tuple[Text, ...], Field(max_length=32, strict=False)]
    for_s: Annotated[float, Field(ge=0, le=LONGEST_WALK_S)]
    type: Literal["walk"] = "walk"


@dataclass(frozen=True, config=_strict)
class RaiseTest:
    """Raise a test alert about this."""

    about: Text
    type: Literal["raise-test"] = "raise-test"


@dataclass(frozen=True, config=_strict)
class ReadCommissioning:
    """The commissioning on the disk is a new one."""

    type: Literal["read-commissioning"] = "read-commissioning"


Request = AskFacts | Say | Light | Listen | Walk | RaiseTest | ReadCommissioning


@dataclass(frozen=True, config=_strict)
class Asked:
    """A request and its number, which the answer repeats."""

    number: Annotated[int, Field(ge=0)]
    request: Annotated[Request, Field(discriminator="type")]


# --- told by the unit ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=_strict)
class Hello:
    """Who answers: the first line."""

    org: str
    unit: str
    software: str
    boot_id: str
    ready_s: float | None
    """When all inputs were read for the first time, on CLOCK_MONOTONIC, which begins with the boot; None: not yet."""
    cut_off: bool = False
    """The life before this one did not end in order: its power went, or it was killed."""
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, config=_strict)
class Done:
    """The request of this number is taken; its effects are told beside it."""

    number: int
    facts: dict[str, Any] = Field(default_factory=dict)
    type: Literal["done"] = "done"


@dataclass(frozen=True, config=_strict)
class Refused:
    """The request of this number is not carried out."""

    number: int | None
    """None: it could not be read."""
    text: str
    type: Literal["refused"] = "refused"


@dataclass(frozen=True, config=_strict)
class WentOff:
    """A sensor went off."""

    sensor: str
    kind: str
    label: str | None
    at_s: float
    """On CLOCK_MONOTONIC."""
    type: Literal["went-off"] = "went-off"


@dataclass(frozen=True, config=_strict)
class CameToRest:
    """A sensor is at rest again."""

    sensor: str
    at_s: float
    type: Literal["came-to-rest"] = "came-to-rest"


@dataclass(frozen=True, config=_strict)
class AlertTold:
    """A revision of an alert is on its way. Not its headline: the code in it is the control room's to say."""

    alert_id: str
    revision: int
    category: str
    state: str
    test: bool
    sensors: Annotated[tuple[str, ...], Field(strict=False)]
    at_s: float
    type: Literal["alert-told"] = "alert-told"


@dataclass(frozen=True, config=_strict)
class AlertAnswered:
    """The control room said something about an alert."""

    alert_id: str
    revision: int
    level: str
    operator_ref: str | None
    outcome: str | None
    note: str | None
    at_s: float
    type: Literal["alert-answered"] = "alert-answered"


@dataclass(frozen=True, config=_strict)
class LampShows:
    """The lamp shows another pattern."""

    pattern: str
    type: Literal["lamp-shows"] = "lamp-shows"


News = WentOff | CameToRest | AlertTold | AlertAnswered | LampShows
Told = Hello | Done | Refused | News

_ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)
_TOLD: TypeAdapter[Told] = TypeAdapter(Annotated[Told, Field(discriminator="type")])


def ask(number: int, request: Request) -> bytes:
    """A request as one line."""
    return _ASKED.dump_json(Asked(number, request)) + b"\n"


def asked(line: bytes) -> Asked:
    """The request of a line.

    Raises:
        ValueError: it is none.
    """
    return _ASKED.validate_json(line)


def tell(told: Told) -> bytes:
    """What the unit says, as one line."""
    return _TOLD.dump_json(told) + b"\n"


def told(line: bytes) -> Told:
    """What the unit said in a line.

    Raises:
        ValueError: it is none of its words.
    """
    return _TOLD.validate_json(line)
