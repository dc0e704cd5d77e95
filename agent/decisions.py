"""The one door to the rules: signals come in one after the other, deadlines wake the rules, actions go out."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import structlog

from agent.signals import HELP_CALL_KINDS, FaultCleared, Faulted, Triggered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from agent.clock import Clock
    from agent.incidents import Incidents
    from agent.signals import Action, Signal

log = structlog.get_logger()

RULES = "rules"
"""The rules' own name in faults."""


class Decisions:
    """Runs the rules on the event loop. A signal is decided at once; one that acting gives rise to comes right after.

    Before `begin` signals wait; after `close` no deadline wakes anybody.
    """

    def __init__(self, incidents: Incidents, clock: Clock, act: Callable[[Sequence[Action]], None]) -> None:
        """Rules that have not begun.

        Args:
            incidents: The rules.
            clock: Tells them the time.
            act: Begins what they decide; it must not wait for anything.
        """
        self._incidents = incidents
        self._clock = clock
        self._act = act
        self._signals: deque[Signal] = deque()
        self._busy = True
        self._running = False
        """From `begin` to `close`."""
        self._alarm: asyncio.TimerHandle | None = None
        self.faults: dict[tuple[str, str], str] = {}
        """What does not work now: (part, code) -> one sentence."""

    def begin(self, remembered: Iterable[Mapping[str, Any]], *, crashed: bool) -> None:
        """Take up what the last life of the unit left, then what was reported meanwhile."""
        self._running = True
        self._act(self._incidents.begin(remembered, self._clock.now(), crashed=crashed))
        self._decide_waiting()

    def resume(self, remembered: Sequence[Mapping[str, Any]], crashed: bool) -> None:  # noqa: FBT001 - the outbox's hook
        """Take up what the last life left and the disk told only now. Before `begin`, that gets it with the rest."""
        if not self._running or not remembered:
            return
        try:
            self._act(self._incidents.resume(remembered, self._clock.now(), crashed=crashed))
        except Exception:  # what is open now must not suffer from what was
            log.exception("memories_not_resumed", count=len(remembered))
            text = "The rules of this unit failed with what the last life left: open alerts of then are not followed."
            self.report(Faulted(RULES, "failed", text, self._clock.now()))
        self._set_alarm()

    def report(self, signal: Signal) -> None:
        """Something happened."""
        self._signals.append(signal)
        if not self._busy:
            self._decide_waiting()

    def wake(self) -> None:
        """Run the rules: something is due, or somebody wants to know that they can be run."""
        self._act(self._incidents.wake(self._clock.now()))
        self._set_alarm()

    def close(self) -> None:
        """Set no alarm any more."""
        self._busy, self._running = True, False
        if self._alarm is not None:
            self._alarm.cancel()

    def _decide_waiting(self) -> None:
        self._busy = True
        try:
            while self._signals:
                signal = self._signals.popleft()
                try:
                    self._decide(signal)
                except Exception:  # a rule that fails with one signal must not lose the next one
                    log.exception("signal_not_decided", signal=repr(signal))
                    self._tell_undecided(signal)
        finally:
            self._busy = False
        self._set_alarm()

    def _decide(self, signal: Signal) -> None:
        match signal:
            case Faulted(part, code, text):
                self.faults[part, code] = text
            case FaultCleared(part, code):
                self.faults.pop((part, code), None)
        self._act(self._incidents.handle(signal, self._clock.now()))

    def _tell_undecided(self, signal: Signal) -> None:
        """Let the control room know by the one way that is left: a fault. One that fails itself is only logged."""
        if isinstance(signal, Faulted) and signal.part == RULES:
            return
        text = "The rules of this unit failed with a signal; it was not acted on."
        if isinstance(signal, Triggered) and signal.kind in HELP_CALL_KINDS:
            text = f"The rules of this unit failed with a CALL FOR HELP from {signal.sensor}: treat this as the call."
        self._signals.append(Faulted(RULES, "failed", text, self._clock.now()))

    def _set_alarm(self) -> None:
        """Wake the rules at their next deadline."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due_s = self._incidents.due()
        if due_s is not None:
            self._alarm = asyncio.get_running_loop().call_at(due_s, self.wake)
