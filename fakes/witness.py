"""What a passer-by sees and hears of the unit, and how to wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fakes.lamp import LampChange, pattern_of

if TYPE_CHECKING:
    from agent.config.settings import LampSettings
    from agent.signals import LightPattern, Line
    from fakes.wire import OutputChanged, Said

LIMIT_S = 60.0
"""How long a wait goes on by default: far beyond what a working unit takes, even on two busy cores."""
LOOK_AGAIN_S = 0.1
"""A lamp's pattern also becomes clear by nothing happening for a while."""


@dataclass(frozen=True)
class Happening:
    """Something happened on the street, for whoever tells the story."""

    at_s: float
    """On CLOCK_MONOTONIC."""
    who: str
    """An input's name, or `lamp`, `speaker`, `microphone`, `camera`, `voice`."""
    what: str
    """In a few words, past tense."""


Narrator = Callable[[Happening], None]


class SpokenLine(NamedTuple):
    """The unit spoke."""

    at_s: float
    """When it began, on CLOCK_MONOTONIC."""
    line: str
    """A `Line`, as long as the recording is named after one."""


class Bell:
    """Wakes everyone who waits for the next change."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self._next.set()
        self._next = asyncio.Event()

    async def rung(self) -> None:
        """Wait for the next change."""
        await self._next.wait()


class Witness:
    """Watches the lamp and listens to the speaker."""

    def __init__(self, lamp: LampSettings | None, narrate: Narrator | None) -> None:
        self._lamp = lamp
        self._narrate = narrate
        self._bell = Bell()
        self.lamp_history = [LampChange(time.monotonic(), lit=False)]
        """Begins dark. A unit that dies without letting go of the lamp leaves it as it is, as a Pi's kernel does."""
        self.spoken: list[SpokenLine] = []

    @property
    def lamp_lit(self) -> bool:
        """Whether the lamp is lit now."""
        return self.lamp_history[-1].lit

    async def lamp_is(self, *, lit: bool, since_s: float | None = None, within_s: float = LIMIT_S) -> float:
        """Wait until the lamp is lit (or dark).

        Args:
            lit: Which of the two.
            since_s: From when on it counts, on CLOCK_MONOTONIC; from now on when left out.
            within_s: How long to wait for it.

        Returns:
            The first moment since then at which it was so.

        Raises:
            TimeoutError: it did not happen.
        """
        since_s = time.monotonic() if since_s is None else since_s
        return await self.until(
            lambda: self._first_time(lit=lit, since_s=since_s), f"the lamp to be {'lit' if lit else 'dark'}", within_s
        )

    async def lamp_shows(self, pattern: LightPattern, within_s: float = LIMIT_S) -> float:
        """Wait until a passer-by can tell that the lamp shows this pattern; returns when that was.

        Raises:
            TimeoutError: it did not happen.
        """

        def seen() -> float | None:
            now_s = time.monotonic()
            return now_s if pattern_of(self.lamp_history, now_s) is pattern else None

        return await self.until(seen, f"the lamp to show {pattern.value!r}", within_s)

    async def heard_line(self, line: Line, since_s: float = 0.0, within_s: float = LIMIT_S) -> float:
        """Wait until the unit has spoken this line; returns when it began.

        Raises:
            TimeoutError: it did not happen.
        """
        return await self.until(
            lambda: next((said.at_s for said in self.spoken if said.line == line and said.at_s >= since_s), None),
            f"the line {line.value!r} to be spoken",
            within_s,
        )

    async def until(self, seen: Callable[[], float | None], what: str, within_s: float = LIMIT_S) -> float:
        """Wait until `seen` gives a time, looking again at every change.

        Raises:
            TimeoutError: it did not; with what was waited for and what was seen instead.
        """
        ends_s = time.monotonic() + within_s
        while (at_s := seen()) is None:
            if time.monotonic() > ends_s:
                msg = f"waited {within_s:g} s for {what}; {self._account()}"
                raise TimeoutError(msg)
            try:
                await asyncio.wait_for(self._bell.rung(), LOOK_AGAIN_S)
            except TimeoutError:
                continue
        return at_s

    def _tell(self, at_s: float, who: str, what: str) -> None:
        self._bell.ring()
        if self._narrate is not None:
            self._narrate(Happening(at_s, who, what))

    def _saw(self, change: OutputChanged) -> None:
        if self._lamp is None or change.pin != self._lamp.pin:
            return
        # A lamp whose pin was let go is held dark by the resistor on its board.
        lit = change.level is not None and (change.level > 0) == (self._lamp.active == "high")
        if lit != self.lamp_lit:
            self.lamp_history.append(LampChange(change.at_s, lit))
            self._tell(change.at_s, "lamp", "lit" if lit else "went dark")

    def _heard(self, said: Said) -> None:
        self.spoken.append(SpokenLine(said.at_s, said.line))
        self._tell(said.at_s, "speaker", f"said {said.line!r} for {said.duration_s:.1f} s")

    def _first_time(self, *, lit: bool, since_s: float) -> float | None:
        before = [change.lit for change in self.lamp_history if change.at_s <= since_s]
        if before and before[-1] is lit:
            return since_s
        return next((change.at_s for change in self.lamp_history if change.at_s > since_s and change.lit is lit), None)

    def _account(self) -> str:
        lamp = "lit" if self.lamp_lit else "dark"
        said = ", ".join(spoken.line for spoken in self.spoken) or "nothing"
        return f"the lamp changed {len(self.lamp_history) - 1} times and is {lamp}, the speaker said {said}"
