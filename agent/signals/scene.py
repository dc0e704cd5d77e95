"""What is shown and spoken at the scene."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
