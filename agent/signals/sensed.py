"""What the sensors noticed, and what kind of evidence each of them gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

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
