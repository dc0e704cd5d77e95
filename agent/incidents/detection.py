"""Why an incident is believed: one detector's part in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Self

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of remembered state

if TYPE_CHECKING:
    from agent.signals import Triggered


@dataclass
class Detection:
    """What one detector has contributed to an incident so far."""

    sensor: str
    """The detector's configured name; of a fault the part's, of a test who asked for it."""
    kind: str
    """A `SensorKind`, or "fault" or "test"."""
    first: Moment
    last: Moment
    label: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    """The latest measurements."""
    silent: bool = False
    """At least one of its calls was a silent one."""
    count: int = 1

    @classmethod
    def of(cls, signal: Triggered) -> Self:
        """The first detection of a sensor. A measurement that is no number is left out: it could not be told."""
        scores = {name: score for name, score in signal.scores.items() if isfinite(score)}
        first = signal.since or signal.at
        return cls(signal.sensor, signal.kind.value, first, signal.at, signal.label, scores, signal.silent)

    @property
    def name(self) -> str:
        """How confirmation names it ("pir-1:pir")."""
        return f"{self.sensor}:{self.kind}"

    def same_detector(self, other: Detection) -> bool:
        """Whether both come from the same detector saying the same thing."""
        return (self.sensor, self.kind, self.label) == (other.sensor, other.kind, other.label)

    def absorb(self, other: Detection) -> None:
        """Add a later trigger of the same detector."""
        self.last = newest(self.last, other.last)
        self.scores = other.scores
        self.silent = self.silent or other.silent
        self.count += other.count


def newest(known: Moment, reported: Moment) -> Moment:
    """The later of two moments; moments of different boots have no order, then what was reported last is later."""
    return max(known, reported) if known.boot_id == reported.boot_id else reported
