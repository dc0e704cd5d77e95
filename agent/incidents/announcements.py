"""Stored messages that an operator has spoken: one at a time, and never over what a caller is being told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.signals import Answer, Why

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.incidents.turn import Turn
    from agent.signals import AnnouncementRequested

LINE_S: Final = 5.0
"""No line of the unit's own is longer (`agent.hw.aplay`): so long it has the speaker for itself."""
SPEAKER: Final = "speaker"
"""The part that reports itself lost when it cannot speak."""


class Announcements:
    """At most one message, which waits for its turn, is spoken, and ends by itself."""

    def __init__(self, *, has_speaker: bool) -> None:
        self._has_speaker = has_speaker
        self._line_until_s = float("-inf")
        self._waiting: AnnouncementRequested | None = None
        self._speaking: AnnouncementRequested | None = None
        self._ends: Moment | None = None

    @property
    def under_way(self) -> bool:
        """Whether a message is spoken or waits for its turn."""
        return self._waiting is not None or self._speaking is not None

    @property
    def due_s(self) -> float | None:
        """When the next one begins or ends, on the monotonic clock."""
        if self._ends is not None:
            return self._ends.monotonic_s
        return None if self._waiting is None else self._line_until_s

    def ask(self, request: AnnouncementRequested, turn: Turn, *, in_silence: bool) -> None:
        """Speak this message as soon as nothing else is spoken."""
        if not self._has_speaker:
            turn.refuse(request.command, Why.UNAVAILABLE, "this unit has no speaker")
        elif in_silence:
            turn.refuse(request.command, Why.SILENT_CALL, "somebody called in silence: the unit must not speak there")
        elif self.under_way:
            turn.refuse(request.command, Why.BUSY, "another message is being spoken")
        else:
            self._waiting = request

    def line_spoken(self, turn: Turn) -> None:
        """The unit speaks to a caller: that takes the place of a message."""
        self._line_until_s = turn.now.monotonic_s + LINE_S
        self._break_off(turn, Why.INTERRUPTED, "the unit had to speak to somebody who called for help")

    def part_lost(self, part: str, turn: Turn) -> None:
        """A part of the unit does not work: if it is the speaker, it cannot be heard."""
        if part == SPEAKER:
            self._break_off(turn, Why.UNAVAILABLE, "the speaker does not work")

    def look(self, until_s: float, turn: Turn) -> None:
        """Begin what waits, end what was spoken."""
        if self._speaking is not None and self._ends is not None and self._ends.monotonic_s <= until_s:
            turn.answer(self._speaking.command, Answer.DONE, f"the message {self._speaking.message} was spoken")
            self._speaking = self._ends = None
        if self._waiting is not None and self._line_until_s <= until_s:
            self._speaking, self._waiting = self._waiting, None
            self._ends = turn.now.later(self._speaking.lasts_s)
            turn.note("announcement", message=self._speaking.message, by=self._speaking.by)
            turn.play(self._speaking.message)
            turn.answer(self._speaking.command, Answer.RUNNING, f"the message {self._speaking.message} is being spoken")

    def _break_off(self, turn: Turn, why: Why, text: str) -> None:
        if self._speaking is not None:
            turn.refuse(self._speaking.command, why, text, begun=True)
            self._speaking = self._ends = None
