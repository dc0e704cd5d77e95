"""Tells a story on the terminal as it happens, and keeps it for the report."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.markup import escape

from fakes.story import Latency, Step, StoryEvent, Who

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console

COLOURS = {Who.SCENE: "cyan", Who.UNIT: "yellow", Who.NETWORK: "magenta", Who.CONTROL_ROOM: "green"}


class StepFailed(Exception):
    """A step of the story did not happen; what follows from it cannot either."""


class Teller:
    """One telling of one story."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.began = datetime.now(UTC)
        self._began_s = time.monotonic()
        self.events: list[StoryEvent] = []
        self.steps: list[Step] = []
        self._samples_ms: dict[str, list[float]] = {}

    def tell(self, who: Who, text: str, at_s: float | None = None) -> None:
        """Say what happened.

        Args:
            who: Who did it.
            text: What, in a short sentence.
            at_s: When, on CLOCK_MONOTONIC; now, when left out.
        """
        after_s = (time.monotonic() if at_s is None else at_s) - self._began_s
        self.events.append(StoryEvent(self.began + timedelta(seconds=after_s), who, text))
        self._console.print(
            f"[dim]{after_s:6.2f} s[/]  [{COLOURS[who]}]{who:<12}[/]  {escape(text)}", highlight=False, soft_wrap=True
        )

    def measured(self, name: str, took_s: float) -> None:
        """Keep a latency."""
        self._samples_ms.setdefault(name, []).append(took_s * 1000)

    def latencies(self) -> list[Latency]:
        """All latencies, summed up in the order of their first sample."""
        return [Latency.of(name, samples) for name, samples in self._samples_ms.items()]

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """Everything inside must happen for the step to count.

        Raises:
            StepFailed: something did not happen in time, or not as it must.
        """
        self._console.print(f"\n[bold]{escape(name)}[/]", highlight=False)
        try:
            yield
        except (AssertionError, TimeoutError) as error:
            why = str(error) or "it did not happen in time"
            self.steps.append(Step(name, ok=False, detail=why))
            self._console.print(f"[bold red]did not happen:[/] {escape(why)}", highlight=False)
            raise StepFailed(name) from error
        self.steps.append(Step(name, ok=True))
