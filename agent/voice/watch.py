"""What the listener tells of itself: proofs of work, figures for the heartbeat, and what ails its microphone."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import journal
from agent.helpers.messages import HearingStands, Trouble, TroubleOver, Working
from agent.voice.behind import Behind
from agent.voice.liveness import Cost, Heard, Liveness
from agent.voice.microphone_check import Condition, MicrophoneCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.helpers.messages import Event
    from agent.hw.kit import PcmBlock

WORKING_EVERY_S = 1.0
"""Proof of work; the daemon takes three missed ones for a hung listener (`agent.helpers.owner`)."""
BACK_AFTER_S = 5.0
"""So long must a microphone that was lost give sound before it is called back: one with a bad contact comes and goes
each second, and is one fault, not a row of them."""
LOST, BEHIND = "microphone-lost", "microphone-behind"
AILS = {
    Condition.SILENT: "gives no sound at all: it is muted or unplugged",
    Condition.CONSTANT: "is stuck at one value: it or its converter is broken",
    Condition.FAINT: "gives nothing but its own noise: it is broken, covered, or its gain is far too low",
    Condition.CLIPPED: "is overdriven nearly all the time: its gain is far too high, or it is broken",
    Condition.HOWL: "hears one loud steady tone and nothing else: feedback from the speaker, or an alarm beside it",
}
"""What a person is told, as the end of a sentence."""


def code_of(condition: Condition) -> str:
    """The fault's code."""
    return f"microphone-{condition.value}"


class Watch:
    """Over one listener, whatever becomes of its microphone."""

    def __init__(self, microphone: str, send: Callable[[Event], None]) -> None:
        """Nothing heard yet.

        Args:
            microphone: Its configured name.
            send: Takes the reports.
        """
        self._name = microphone
        self._send = send
        self._done = 0
        self._blocks_lost = 0
        self._proved_s: float | None = None
        self._gone = False
        self._back_s: float | None = None
        """Since when it gives sound again while it is not yet called back."""
        self._check = MicrophoneCheck()
        self._told: Condition | None = None
        self._liveness = Liveness(_cost())
        self._behind = Behind()

    def lost(self, why: Exception) -> None:
        """The microphone is gone, or still is: told once until it is back for `BACK_AFTER_S`."""
        self._back_s = None
        if not self._gone:
            self._gone = True
            self._send(Trouble(LOST, f"The microphone {self._name} is lost: {why}"))

    def arrived(self, block: PcmBlock) -> None:
        """A block came, which is still to be heard."""
        if self._gone:
            self._back_s = block.ended_s if self._back_s is None else self._back_s
            if block.ended_s - self._back_s >= BACK_AFTER_S:
                self._gone = False
                self._send(TroubleOver(LOST))
        self._tell_what_ails(self._check.feed(block))

    def heard(self, block: PcmBlock, *, recognised_s: float, recogniser_age_s: float) -> None:
        """The block that arrived last was heard to its end: the proof of work.

        Args:
            block: It.
            recognised_s: Seconds of sound that the recogniser was given with it.
            recogniser_age_s: Seconds of sound since the recogniser was made.
        """
        self._done += 1
        self._blocks_lost += block.lost
        self._tell_whether_behind(block.lost)
        if self._proved_s is None or block.ended_s - self._proved_s >= WORKING_EVERY_S:
            self._proved_s = block.ended_s
            self._send(Working(self._done, self._blocks_lost, journal.standing().lost))
        if self._liveness.heard(Heard(block.ended_s, block.lost, self._check.level_dbfs, recognised_s)):
            self._send(HearingStands(block.ended_s, self._liveness.facts(_cost(), recogniser_age_s)))

    def _tell_whether_behind(self, lost: int) -> None:
        before = self._behind.now
        self._behind.heard(lost)
        if self._behind.now and not before:
            text = (
                f"The listener loses a tenth or more of what the microphone {self._name} hears: the unit is too busy, "
            )
            self._send(Trouble(BEHIND, f"{text}too hot, or has more languages than it can hear at once."))
        elif before and not self._behind.now:
            self._send(TroubleOver(BEHIND))

    def _tell_what_ails(self, condition: Condition | None) -> None:
        if condition is self._told:
            return
        if self._told is not None:
            self._send(TroubleOver(code_of(self._told)))
        if condition is not None:
            self._send(Trouble(code_of(condition), f"The microphone {self._name} {AILS[condition]}."))
        self._told = condition


def _cost() -> Cost:
    resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])  # proc(5)
    return Cost(time.process_time(), resident_pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
