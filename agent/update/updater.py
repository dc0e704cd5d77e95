"""One run of the update: the newest bundle that this unit can use goes into the other slot and is tried there.

Whatever stops a run, the daemon runs on from a slot that works (`agent.update.slots`). The run itself has no privilege
over the daemon: it asks for its restart by a file that `safepoint-restart.path` sees.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from agent.status_file import read_status
from agent.update.bundle import BundleRefused
from agent.update.filling import fill
from agent.update.history import History
from agent.update.incoming import Incoming
from agent.update.install import InstallFailed
from agent.update.outcomes import Outcomes
from agent.update.places import Tools
from agent.update.slots import SlotsUnusable
from agent.update.standing import Result, StandingFile
from agent.update.trial import Bad, Good, Trial
from agent.update.versions import ATTEMPTS

if TYPE_CHECKING:
    from agent.status_file import UnitStatus
    from agent.update.incoming import Candidate
    from agent.update.places import Places, Source
    from agent.update.slots import Slots

log = structlog.get_logger()

LOOK_EVERY_S = 1.0


class Updater:
    """Runs once. Nobody else may run beside it (systemd starts one at a time)."""

    def __init__(self, slots: Slots, places: Places, source: Source | None = None, tools: Tools | None = None) -> None:
        """An update that has not begun.

        Args:
            slots: Where versions lie.
            places: Where everything else does.
            source: The web server that bundles come from, beside an engineer's hand.
            tools: For a bench.
        """
        self._slots = slots
        self._places = places
        self._tools = tools or Tools()
        began = datetime.fromtimestamp(self._tools.wall_s(), UTC)
        self._standing = StandingFile(places.state, began)
        self._outcomes = Outcomes(places.state, self._standing, self._tools.wall_s)
        self._incoming = Incoming(places, source, self._tools, self._standing, self._outcomes)

    def run(self) -> bool:
        """Do what is to be done now; returns whether all is well: a bundle that was taken back is not.

        Raises:
            SlotsUnusable: the unit is not provisioned for updates.
            BundleRefused: there is no key to check bundles with.
            OSError: a disk does not work.
        """
        try:
            all_well = self._run()
        except (SlotsUnusable, BundleRefused, OSError) as unusable:
            with contextlib.suppress(OSError):  # that a disk takes nothing is what is raised already
                self._standing.unusable(str(unusable))
            raise
        self._standing.usable()
        return all_well

    def _run(self) -> bool:
        if self._slots.on_trial() is not None:
            # Nobody watched it to its end. We run from the slot that is not proven, so that is all that we do.
            self._slots.take_back()
            self._ask_for_restart("a trial was broken off")
            log.warning("update_trial_broken_off", version=self._tools.version)
            self._standing.begins()
            return True
        self._standing.begins()
        self._slots.in_use()
        newest = self._incoming.newest()
        if newest is None:
            self._standing.nothing_held()
            return True
        if self._is_held(newest):
            return True
        if (status := read_status(self._places.status)) is not None and status.version != self._tools.version:
            # It runs from the slot that would be cleared now: a request of an earlier run was missed.
            self._ask_for_restart(f"{status.version} runs and {self._tools.version} is in use")
            log.warning("update_put_off", runs=status.version, in_use=self._tools.version)
            return True
        return self._take(newest)

    def _take(self, candidate: Candidate) -> bool:
        manifest, slot = candidate.manifest, self._slots.in_use().other
        try:
            fill(self._slots.clear(slot), candidate, self._places, self._tools)
        except (InstallFailed, BundleRefused) as refused:  # the daemon was not touched; another copy may be better
            self._outcomes.over(candidate.path, Result.REFUSED, str(refused), manifest.version)
            return False
        self._slots.settled_on_disk(slot)
        if self._is_held(candidate):  # a call that came meanwhile
            return True
        history = self._places.history
        History.read(history).tried(manifest).write(history)  # before it can go wrong
        self._standing.on_trial(manifest.version)
        before = read_status(self._places.status)
        self._slots.begin_trial(slot)
        log.info("update_on_trial", version=manifest.version, slot=slot.value, before=self._tools.version)
        verdict = self._watch(manifest.version, before)
        if isinstance(verdict, Bad):
            self._slots.take_back()
            self._ask_for_restart(f"back to {self._tools.version}")
            self._taken_back(candidate, verdict)
            return False
        self._slots.keep()
        History.read(history).passed(manifest).write(history)
        text = f"version {manifest.version} is in use in slot {slot.value}"
        self._outcomes.over(candidate.path, Result.TAKEN, text, manifest.version)
        return True

    def _taken_back(self, candidate: Candidate, verdict: Bad) -> None:
        history = History.read(self._places.history)
        outcome, version = f"{verdict.why}; version {self._tools.version} is in use", candidate.manifest.version
        if verdict.by_chance and history.attempts.get(candidate.manifest.identity, 0) < ATTEMPTS:
            text = f"{outcome}, and this one is tried once more"
            self._outcomes.tell(candidate.path, Result.TAKEN_BACK, text, version)
            return
        history.refused(candidate.manifest, verdict.why).write(self._places.history)
        self._outcomes.over(candidate.path, Result.TAKEN_BACK, outcome, version)

    def _watch(self, version: str, before: UnitStatus | None) -> Good | Bad:
        began_s = self._tools.monotonic_s()
        self._ask_for_restart(f"trial of {version}")
        trial = Trial(version, before, began_s)
        while (verdict := trial.look(read_status(self._places.status), self._tools.monotonic_s())) is None:
            self._tools.sleep(LOOK_EVERY_S)
        return verdict

    def _is_held(self, candidate: Candidate) -> bool:
        """Whether the daemon must not be restarted now. One that does not live holds nothing up: this may mend it."""
        status = read_status(self._places.status)
        if status is None or not status.open_calls:
            self._standing.nothing_held()
            return False
        why = "a call is open"
        log.info("update_held", bundle=candidate.path.name, why=why)
        self._standing.held(candidate.manifest.version, why)
        return True

    def _ask_for_restart(self, why: str) -> None:
        self._places.restart.write_text(f"{why}\n", encoding="utf-8")
