"""What a run of the simulated street has to tell afterwards: the facts of the report, without its looks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from agent.control_room.alerts import Alert

P99_NEEDS = 100
"""With fewer samples the 99th percentile is only another word for the worst one, so none is given."""


class Who(StrEnum):
    """Who does something in the story, in words for the reader."""

    SCENE = "At the scene"
    UNIT = "The unit"
    NETWORK = "The network"
    CONTROL_ROOM = "Control room"


@dataclass(frozen=True)
class StoryEvent:
    """One line of the timeline."""

    at: datetime
    who: Who
    text: str


@dataclass(frozen=True)
class Latency:
    """How long something took, over all the times it happened."""

    name: str
    n: int
    p50_ms: float
    max_ms: float
    p99_ms: float | None = None
    """None with fewer than `P99_NEEDS` samples."""

    @classmethod
    def of(cls, name: str, samples_ms: Sequence[float]) -> Latency:
        """Sum up measured samples.

        Raises:
            ValueError: nothing was measured.
        """
        if not samples_ms:
            msg = f"{name}: nothing was measured"
            raise ValueError(msg)
        ordered = sorted(samples_ms)
        p99 = ordered[ceil(0.99 * len(ordered)) - 1] if len(ordered) >= P99_NEEDS else None
        return cls(name, len(ordered), median(ordered), ordered[-1], p99)


@dataclass(frozen=True)
class Step:
    """One step of the story that must really happen."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Footage:
    """The pictures of the story."""

    still: Path | None = None
    still_caption: str = "The still the unit sent with its alert."
    strip: Path | None = None
    strip_caption: str = "Before, at and after the trigger, in one small picture."
    clip: Path | None = None
    clip_caption: str = "The clip the unit kept: before, during and after the call."


@dataclass(frozen=True)
class Story:
    """Everything the report shows."""

    title: str
    unit_id: str
    unit_name: str
    location: str
    began: datetime
    ended: datetime
    summary: Sequence[str]
    """What happened in plain English, one paragraph each."""
    events: Sequence[StoryEvent]
    steps: Sequence[Step]
    latencies: Sequence[Latency] = ()
    alerts: Sequence[Alert] = ()
    """As the control room's desk holds them."""
    footage: Footage = Footage()
    small_print: Sequence[str] = ()
    """What the reader must not believe of this run, one sentence or two each; added to the report's own."""
    timezone: str = "Europe/London"
    version: str = ""
    """Of the software that ran."""

    @property
    def happened(self) -> bool:
        """Whether every step really happened."""
        return bool(self.steps) and all(step.ok for step in self.steps)
