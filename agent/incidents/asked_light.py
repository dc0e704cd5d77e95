"""Light that an operator asked for. It goes out by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import Answer, Why

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.incidents.turn import Turn
    from agent.signals import LightRequested


class AskedLight:
    """Lit until the time that was asked for is over; a call for help shows its own pattern meanwhile."""

    def __init__(self, *, has_lamp: bool) -> None:
        self._has_lamp = has_lamp
        self._until: Moment | None = None
        self._command: str | None = None

    @property
    def lit(self) -> bool:
        """Whether it lights the lamp now."""
        return self._until is not None

    @property
    def due_s(self) -> float | None:
        """When it goes out, on the monotonic clock."""
        return None if self._until is None else self._until.monotonic_s

    def ask(self, request: LightRequested, turn: Turn, *, in_silence: bool) -> None:
        """Light the lamp, for longer or shorter than asked before, or put it out."""
        if not self._has_lamp:
            turn.refuse(request.command, Why.UNAVAILABLE, "this unit has no lamp")
            return
        if in_silence and request.for_s:
            turn.refuse(request.command, Why.SILENT_CALL, "somebody called in silence: the lamp must not answer it")
            return
        self._end(turn, "a later command took its place")
        turn.note("light_asked_for", by=request.by, for_s=request.for_s)
        if not request.for_s:
            turn.answer(request.command, Answer.DONE, "the light that was asked for is out")
            return
        self._until, self._command = turn.now.later(request.for_s), request.command
        turn.answer(request.command, Answer.RUNNING, f"the lamp is lit for {request.for_s:g} s", until=self._until.wall)

    def look(self, until_s: float, turn: Turn) -> None:
        """Put it out when its time is over."""
        if self._until is not None and self._until.monotonic_s <= until_s:
            self._end(turn, "its time is over")

    def _end(self, turn: Turn, why: str) -> None:
        if self._until is not None:
            turn.answer(self._command, Answer.DONE, f"the light that was asked for is out: {why}")
            self._until = self._command = None
