"""What a step is done with: the engineer, the running unit, the machine, and the session that keeps the results."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agent.commission.course import Outcome, Result
from agent.commission.session import now
from agent.local.client import NotDone
from agent.local.messages import Say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.commission.course import Step
    from agent.commission.machine import Machine
    from agent.commission.session import Session
    from agent.commission.talk import Talk
    from agent.config.settings import Config
    from agent.local.client import LocalUnit
    from agent.signals import Line

Found = TypeVar("Found")
Measured = TypeVar("Measured")

LOOK_EVERY_S: Final = 0.5
"""How often the unit's facts are looked at while something must change in them."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what must come, in seconds."""

    person_s: float = 180.0
    """For somebody who walks to a sensor, or to a cupboard with a cable."""
    unit_s: float = 60.0
    """For the unit or the control room's machines."""
    operator_s: float = 900.0
    """For an operator, who has other calls."""
    phrase_s: float = 8.0
    """From the cue to a phrase that was heard: two words and a decision."""
    phrases: int = 10
    """How often a phrase is said from each distance."""


@dataclass(frozen=True)
class Bench:
    """Where steps are done."""

    config: Config
    talk: Talk
    unit: LocalUnit
    machine: Machine
    session: Session
    patience: Patience = Patience()

    def progress(self, step: Step) -> dict[str, Any]:
        """What a step that outlives a session has to remember; `session.save` keeps it."""
        return self.session.kept.progress.setdefault(step.id, {})

    async def measure(self, what: Callable[[], Measured]) -> Measured:
        """Measure something that takes a while."""
        return await asyncio.to_thread(what)

    async def cue(self, line: Line) -> None:
        """Speak to the engineer at the sensor, where there is a speaker."""
        try:
            await self.unit.do(Say(line))
        except NotDone:
            return  # he looks at the screen

    async def facts_until(
        self, look: Callable[[Mapping[str, Any]], Found | None], within_s: float
    ) -> tuple[Found | None, float]:
        """Look at the unit's facts until there is something to see.

        Returns:
            It, or None when there was nothing in this time; and how long that took, in seconds.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while True:
            found, took_s = look(await self.unit.facts()), loop.time() - began_s
            if found is not None or took_s > within_s:
                return found, took_s
            await asyncio.sleep(LOOK_EVERY_S)


def passed(text: str, **facts: Any) -> Result:  # noqa: ANN401 - JSON
    """A step is proved."""
    return Result(Outcome.PASSED, text, now(), facts)


def failed(text: str, **facts: Any) -> Result:  # noqa: ANN401 - JSON
    """A step is not proved."""
    return Result(Outcome.FAILED, text, now(), facts)


def judged(good: bool, text: str, **facts: Any) -> Result:  # noqa: ANN401, FBT001 - JSON, and the judgement
    """A step is proved, or not."""
    return passed(text, **facts) if good else failed(text, **facts)
