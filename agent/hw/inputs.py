"""Buttons, PIRs, tamper contacts and the mains monitor: from edges on pins to signals.

Edges arrive on the pin library's thread, are timed there and hop to the event loop, where they settle. Once a second
every level is read again, because an edge that was lost would otherwise leave a pressed button unseen for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from agent.config.settings import InputKind
from agent.hw.contact import Contact
from agent.hw.debounce import Change, Debounce
from agent.hw.kit import HardwareLost
from agent.signals import FaultCleared, Faulted, Restored, SensorKind, Signal, Triggered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gpiozero.pins import Factory

    from agent.clock import Clock
    from agent.config.settings import InputSettings

log = structlog.get_logger()

REREAD_EVERY_S = 1.0
"""How often all levels are read again: the longest that a lost edge stays unnoticed."""
EDGE_ARRIVES_WITHIN_S = 0.02
"""lgpio reports an edge half a millisecond late at least; a level without its edge after this time lost it."""

STUCK = "stuck"
DEAD = "dead"
CALLBACK = "callback"


class _Input:
    """What is known of one input."""

    def __init__(self, settings: InputSettings) -> None:
        self.settings = settings
        self.kind = SensorKind(settings.kind.value)
        self.part = f"input {settings.name}"
        self.contact: Contact | None = None
        self.debounce = Debounce(settings.settle_ms / 1000)
        self.active_since_s: float | None = None
        self.edges_taken = 0
        self.edges_missed = 0
        self.failures_told = 0
        self.faults: set[str] = set()
        """Codes of the faults that are open."""

    def stuck_due_s(self) -> float | None:
        """When a button that stays active will be stuck; None when it cannot be or is."""
        if self.settings.kind is not InputKind.BUTTON or self.active_since_s is None or STUCK in self.faults:
            return None
        return self.active_since_s + self.settings.stuck_after_s


class Inputs:
    """All inputs of a unit, watched from construction to `close`; `run` backs them up.

    Needs a running event loop, on which `report` is called with `Triggered`, `Restored`, `Faulted` and
    `FaultCleared`, never from the constructor. An input that is active at the start counts as triggered then: the
    daemon may have been killed while a hand was on the button. An input whose pin is lost is reported and tried again
    each second; the others work on.
    """

    def __init__(
        self, settings: Sequence[InputSettings], factory: Factory, clock: Clock, report: Callable[[Signal], None]
    ) -> None:
        self._factory = factory
        self._clock = clock
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._inputs = [_Input(one) for one in settings]
        self._closed = False
        for one in self._inputs:
            self._claim(one)
        self._timer: asyncio.Handle = self._loop.call_soon(self._begin)

    @property
    def active(self) -> frozenset[str]:
        """Names of the inputs that are active now."""
        return frozenset(one.settings.name for one in self._inputs if one.debounce.active)

    @property
    def edges_missed(self) -> dict[str, int]:
        """How many edges only the re-read found, by input: none on sound hardware."""
        return {one.settings.name: one.edges_missed for one in self._inputs}

    async def run(self, working: Callable[[], None]) -> None:
        """Back the edges up until cancelled.

        Args:
            working: Called each time all inputs were read: the proof of work for the watchdog.
        """
        while True:
            await asyncio.sleep(REREAD_EVERY_S)
            suspects = [(one, one.edges_taken) for one in self._inputs if self._differs(one)]
            if suspects:
                await asyncio.sleep(EDGE_ARRIVES_WITHIN_S)
            for one, edges_taken in suspects:
                if one.edges_taken == edges_taken and self._differs(one):
                    self._take_missed(one)
            for one in self._inputs:
                self._check_callbacks(one)
            working()

    def close(self) -> None:
        """Give all pins back and report nothing more."""
        self._closed = True
        self._timer.cancel()
        for one in self._inputs:
            if one.contact is not None:
                one.contact.close()
                one.contact = None

    def _begin(self) -> None:
        """Count what is active already, and tell which pins were not to be had."""
        for one in self._inputs:
            if self._differs(one):
                self._apply(one, one.debounce.edge(time.monotonic(), active=True))
        self._arm()

    def _claim(self, one: _Input) -> HardwareLost | None:
        def hop(at_s: float, active: bool) -> None:  # noqa: FBT001 - Contact's callback
            self._loop.call_soon_threadsafe(self._edge, one, at_s, active)

        try:
            one.contact = Contact(one.settings, self._factory, hop)
        except HardwareLost as lost:
            return lost
        return None

    def _differs(self, one: _Input) -> bool:
        """Whether the pin is at another level than its edges say; claims a pin that was lost, tells a lost one."""
        lost = self._claim(one) if one.contact is None else None
        if one.contact is not None:
            try:
                differs = one.contact.read() != one.debounce.raw
            except HardwareLost as unreadable:
                lost = unreadable
                one.contact.close()  # claimed anew at the next reading
                one.contact = None
            else:
                self._clear(one, DEAD)
                return differs
        self._fault(one, DEAD, f"Input {one.settings.name} is dead: {lost}. The other inputs work.")
        return False

    def _take_missed(self, one: _Input) -> None:
        one.edges_missed += 1
        if one.edges_missed == 1:  # the count goes on in `edges_missed`
            log.warning("edge_missed", input=one.settings.name, pin=one.settings.pin)
        self._edge(one, time.monotonic(), not one.debounce.raw)

    def _check_callbacks(self, one: _Input) -> None:
        """Tell of edges whose callback failed since the last look: the re-read took over from them."""
        failures = 0 if one.contact is None else one.contact.failures
        if failures > one.failures_told:
            text = f"Input {one.settings.name} lost edges inside the unit; it is still read once a second."
            self._fault(one, CALLBACK, text)
        else:
            self._clear(one, CALLBACK)
        one.failures_told = failures

    def _edge(self, one: _Input, at_s: float, active: bool) -> None:  # noqa: FBT001 - called through call_soon
        if self._closed:
            return
        one.edges_taken += 1
        self._apply(one, one.debounce.edge(at_s, active=active))
        self._arm()

    def _on_timer(self) -> None:
        now_s = time.monotonic()
        for one in self._inputs:
            self._apply(one, one.debounce.settle(now_s))
            stuck_due_s = one.stuck_due_s()
            if stuck_due_s is not None and now_s >= stuck_due_s:
                held_s = f"{one.settings.stuck_after_s:g} s"
                text = (
                    f"Button {one.settings.name} has been pressed for {held_s}; no new press counts until it is free."
                )
                self._fault(one, STUCK, text)
        self._arm()

    def _arm(self) -> None:
        """Set the one timer to the next thing that falls due."""
        self._timer.cancel()
        due = [s for one in self._inputs for s in (one.debounce.due(), one.stuck_due_s()) if s is not None]
        if due and not self._closed:
            self._timer = self._loop.call_later(max(0.0, min(due) - time.monotonic()), self._on_timer)

    def _apply(self, one: _Input, changes: Sequence[Change]) -> None:
        for change in changes:
            at = self._clock.at(change.began_s)
            if change.active:
                one.active_since_s = change.began_s
                self._tell(Triggered(one.settings.name, one.kind, at))
            else:
                one.active_since_s = None
                self._tell(Restored(one.settings.name, one.kind, at))
                self._clear(one, STUCK)

    def _fault(self, one: _Input, code: str, text: str) -> None:
        if code not in one.faults:
            one.faults.add(code)
            log.error("input_faulted", input=one.settings.name, code=code, reason=text)
            self._tell(Faulted(one.part, code, text, self._clock.now()))

    def _clear(self, one: _Input, code: str) -> None:
        if code in one.faults:
            one.faults.remove(code)
            log.info("input_fault_cleared", input=one.settings.name, code=code)
            self._tell(FaultCleared(one.part, code, self._clock.now()))

    def _tell(self, signal: Signal) -> None:
        try:
            self._report(signal)
        except Exception:
            # A receiver's mistake with one signal must not blind the unit for the next one.
            log.exception("signal_refused", signal=signal)
