"""Gets the recording back by the last means there is, a restart of the machine, and tells of all of it.

`agent.helpers.last_rung` decides; here the control room is told before, the service manager is asked, and the next
boot tells whether it helped.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from agent.helpers.last_rung import Go, History, Others, Stay, verdict
from agent.reboot import RebootImpossible
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.helpers.ladder import Ladder
    from agent.reboot import RebootDesk
    from agent.signals import Signal

log = structlog.get_logger()

PART = "recovery"
"""Its name in faults."""
ASKED, REFUSED, REBOOTED, IN_VAIN = "reboot-asked", "reboot-refused", "rebooted", "reboot-in-vain"
LOOK_EVERY_S = 5.0
"""Among waits of minutes."""
TOLD_WITHIN_S = 30.0
"""For the alert that says it to reach the control room: a link that is up takes a second, and by then the unit has
recorded nothing for minutes."""
GRANTED_WITHIN_S = 120.0
"""The service answers in a second and the orderly end of everything else takes at most 90 s; who still lives by then
was refused."""
HELPED_WITHIN_S = 120.0
"""From the start of the unit after a restart to its first footage: 20 s for a cold camera, and some tries."""
RETRY_S = 600.0
"""What could not be asked for is not tried again sooner."""


class Recovery:
    """Watches the recorder's ladder."""

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        ladder: Ladder,
        desk: RebootDesk,
        clock: Clock,
        *,
        allowed: bool,
        others: Callable[[], Others],
        report: Callable[[Signal], None],
    ) -> None:
        """A recovery that rests until `run`.

        Args:
            ladder: The recorder's.
            desk: Asks, and remembers.
            clock: Tells what time it is.
            allowed: The configuration does not forbid it.
            others: What else the unit has to do now.
            report: Takes faults and restores.
        """
        self._ladder = ladder
        self._desk = desk
        self._clock = clock
        self._allowed = allowed
        self._others = others
        self._report = report
        self._history = History()
        self._stay: Stay | None = Stay.WORKS
        self._began_s = clock.now().monotonic_s
        self._not_before_s = 0.0
        self._told: set[str] = set()
        """The codes of the faults that stand."""

    def facts(self) -> dict[str, int | str]:
        """For the heartbeat: restarts ever asked for, those in a row that did not help, and why there is none now."""
        history = self._history
        return {"reboots": history.total, "inVain": history.in_vain, "reboot": self._stay or "asked"}

    async def run(self, working: Callable[[], None]) -> None:
        """Watch until cancelled."""
        self._take(await self._desk.history())
        self._come_back()
        while True:
            working()
            await self._look()
            await asyncio.sleep(LOOK_EVERY_S)

    def _come_back(self) -> None:
        """Say that this is the boot after a restart that was asked for; the fault stands until it helped."""
        history, now = self._history, self._clock.now()
        if not history.in_vain or history.asks[-1].boot_id == now.boot_id:
            return
        self._report(FaultCleared(PART, ASKED, now))  # told by the boot before
        reason = history.asks[-1].reason
        log.warning("back_from_reboot", reason=reason, in_vain=history.in_vain)
        self._tell(REBOOTED, f"The unit restarted its machine: {reason}. It waits for the first footage since then.")

    async def _look(self) -> None:
        now = self._clock.now()
        if self._works():
            await self._helped()
        elif REBOOTED in self._told and now.monotonic_s - self._began_s > HELPED_WITHIN_S:
            self._tell(IN_VAIN, "No footage is stored after the restart of the machine either; help calls work.")
        decided = self._decide(self._others())
        if isinstance(decided, Go):
            if now.monotonic_s >= self._not_before_s:
                await self._climb(decided.reason)
        elif decided is not self._stay:
            log.info("reboot_held_back", why=decided)
            self._stay = decided

    def _decide(self, others: Others) -> Go | Stay:
        now = self._clock.now()
        return verdict(self._ladder.standing(now.monotonic_s), others, self._history, now, allowed=self._allowed)

    def _works(self) -> bool:
        """Whether footage has reached the disk since the last restart was asked for."""
        worked_s, asks = self._ladder.worked_s, self._history.asks
        if worked_s is None:
            return False
        return not asks or asks[-1].boot_id != self._clock.now().boot_id or worked_s > asks[-1].uptime_s

    async def _helped(self) -> None:
        for code in sorted(self._told):
            self._clear(code)
        if self._history.in_vain:
            log.info("reboot_helped", reboots=self._history.total)
            self._take(self._history.helped())
            try:
                await self._desk.remember(self._history)
            except RebootImpossible as why:  # then the next boot tells the same story once more
                log.warning("reboot_history_not_kept", reason=str(why))

    async def _climb(self, reason: str) -> None:
        """Tell, and ask; a call that comes in meanwhile puts it off."""
        self._tell(ASKED, f"The unit will restart its machine: {reason}. It cannot be called for about a minute.")
        await self._until_told()
        others = self._others()
        if others.stored:
            others = replace(others, waiting=0)  # they had their time, and outlive it
        decided = self._decide(others)
        if isinstance(decided, Stay):
            log.info("reboot_put_off", why=decided)
            self._clear(ASKED)
            return
        self._stay = None
        try:
            self._take(await self._desk.ask(self._history, self._clock.now(), reason))
        except RebootImpossible as why:
            self._refused(f"It could not be asked for: {why}.")
            return
        log.warning("reboot_asked", reason=reason)
        await asyncio.sleep(GRANTED_WITHIN_S)
        self._refused("It was asked for and did not come: the service manager refuses it.")

    async def _until_told(self) -> None:
        """Until the control room has every alert, or for as long as that may take."""
        deadline_s = self._clock.now().monotonic_s + TOLD_WITHIN_S
        while self._others().waiting and self._clock.now().monotonic_s < deadline_s:  # noqa: ASYNC110 - acks come any way
            await asyncio.sleep(0.1)

    def _refused(self, why: str) -> None:
        self._not_before_s = self._clock.now().monotonic_s + RETRY_S
        self._stay = Stay.REFUSED
        self._clear(ASKED)
        self._tell(REFUSED, f"The machine should be restarted to get the recording back. {why} Help calls work.")

    def _take(self, history: History) -> None:
        self._history = history
        self._ladder.reboot = history.total

    def _tell(self, code: str, text: str) -> None:
        if code not in self._told:
            self._told.add(code)
            self._report(Faulted(PART, code, text, self._clock.now()))

    def _clear(self, code: str) -> None:
        self._told.discard(code)
        self._report(FaultCleared(PART, code, self._clock.now()))
