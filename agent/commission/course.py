"""The course of a commissioning: what is to be proved, what came of each step, and what that amounts to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Kind(StrEnum):
    """How a step is done (`agent.commission.steps`)."""

    SITE = "site"
    DPIA = "dpia"
    PSPO = "pspo"
    SIGNAGE = "signage"
    URN = "urn"
    FAULTS = "faults"
    CLOCK = "clock"
    PATH = "path"
    CABLE = "cable"
    DISK = "disk"
    AIM = "aim"
    STILL = "still"
    LAMP = "lamp"
    LOOP = "loop"
    WALK = "walk"
    PHRASE = "phrase"
    POWER = "power"
    COUNTERSIGN = "countersign"


class Outcome(StrEnum):
    """What came of a step."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """With a reason; it stands on the sheet."""


class Verdict(StrEnum):
    """What came of all of it."""

    OPEN = "open"
    PASSED = "passed"
    NOT_PASSED = "not-passed"


@dataclass(frozen=True)
class Step:
    """One thing to prove."""

    id: str
    """`walk.pir-1`; before the point its kind, or what tells several of a kind apart."""
    kind: Kind
    title: str
    of: str = ""
    """Of which sensor, path, distance or time of day."""
    optional: bool = False
    """It may be skipped for a reason. What alarms depend on may not."""


@dataclass(frozen=True)
class Result:
    """What came of a step."""

    outcome: Outcome
    text: str
    """One line: what was found, or why not."""
    at: str
    """Wall time, UTC (ISO 8601)."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What was measured, by name with unit."""


class Course:
    """Steps in their order, and the results so far."""

    def __init__(self, steps: Sequence[Step], results: Mapping[str, Result] | None = None) -> None:
        """A course that goes on where it was left; results of steps that there are no more are dropped."""
        self.steps = tuple(steps)
        known = {step.id for step in steps}
        self.results = {step_id: result for step_id, result in (results or {}).items() if step_id in known}

    def next(self) -> Step | None:
        """The first step without a result. The last one waits until nothing stands in the way."""
        open_ = [step for step in self.steps if step.id not in self.results]
        if not open_ or (open_[0] is self.steps[-1] and self.in_the_way()):
            return None
        return open_[0]

    def record(self, step: Step, result: Result) -> None:
        """A step was done; another result of it is replaced.

        Raises:
            ValueError: it must not be skipped.
        """
        if result.outcome is Outcome.SKIPPED and not step.optional:
            msg = f"{step.title} cannot be skipped: alarms depend on it"
            raise ValueError(msg)
        self.results[step.id] = result

    def undo(self, step_id: str) -> None:
        """A step is to be done again, and with it the last one, which vouches for all of them."""
        self.results.pop(step_id, None)
        self.results.pop(self.steps[-1].id, None)

    def in_the_way(self) -> list[Step]:
        """The steps that failed."""
        failed = {step_id for step_id, result in self.results.items() if result.outcome is Outcome.FAILED}
        return [step for step in self.steps if step.id in failed]

    @property
    def verdict(self) -> Verdict:
        """What it amounts to: one failed step makes the whole not pass, and so does one that was not done."""
        if self.in_the_way():
            return Verdict.NOT_PASSED
        return Verdict.OPEN if any(step.id not in self.results for step in self.steps) else Verdict.PASSED

    def count(self, outcome: Outcome) -> int:
        """How many steps came to this."""
        return sum(result.outcome is outcome for result in self.results.values())


RESULTS: TypeAdapter[dict[str, Result]] = TypeAdapter(dict[str, Result])
"""To and from JSON."""
