"""One run of the update: the newest bundle that this unit can use goes into the other slot and is tried there.

Whatever stops a run, the daemon runs on from a slot that works (`agent.update.slots`). The run itself has no privilege
over the daemon: it asks for its restart by a file that `safepoint-restart.path` sees.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

import agent
from agent.durable import put_whole, sync_folder
from agent.status_file import read_status
from agent.update.bundle import BundleRefused, BundleShort, read_keys, read_manifest, unpack
from agent.update.fetch import BadServer, Fetcher, NotFetched
from agent.update.history import History
from agent.update.install import InstallFailed, install, prove
from agent.update.slots import SlotsUnusable
from agent.update.standing import Result, StandingFile
from agent.update.trial import Bad, Good, Trial
from agent.update.versions import ATTEMPTS, Here, number, refusal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from agent.status_file import UnitStatus
    from agent.update.manifest import Manifest
    from agent.update.slots import Slots

log = structlog.get_logger()

SUFFIX = ".update"
STILL_COPIED_S = 60.0
"""A file that grew so lately may grow on."""
LOOK_EVERY_S = 1.0
ROOM_FACTOR = 4
"""Wheels unpack to about two and a half times their size, and compiled code is added."""
OUTCOMES_KEPT = 100


@dataclass(frozen=True)
class Places:
    """Where an update finds and puts what."""

    state: Path
    """The update's own folder, with `incoming` in it."""
    keys: Path
    """The folder of the public keys, `*.pem`."""
    config: Path
    """The unit's file, which the new version must take."""
    status: Path
    """What the daemon shows of itself."""
    restart: Path
    """Written to ask for the daemon's restart."""


@dataclass(frozen=True)
class Source:
    """A folder of bundles on a web server."""

    url: str
    context: ssl.SSLContext
    """Whom to trust to be that server."""


@dataclass(frozen=True)
class Tools:
    """What takes minutes on a unit, and is told in an instant on a bench."""

    install: Callable[[Sequence[Path], Path], None] = install
    """Puts wheels into a slot (`agent.update.install`)."""
    prove: Callable[[Path, str, Path], None] = prove
    """Tries what can be tried beside the daemon (`agent.update.install`)."""
    monotonic_s: Callable[[], float] = time.monotonic
    wall_s: Callable[[], float] = time.time
    version: str = agent.__version__
    """Ours, and so of the slot in use."""
    sleep: Callable[[float], None] = time.sleep


class _InUseAlready(BundleRefused):
    """Nothing is wrong with it, and nothing is to be done."""


@dataclass(frozen=True)
class _Candidate:
    path: Path
    manifest: Manifest


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
        self._source = source
        self._tools = tools or Tools()
        self._incoming = places.state / "incoming"
        self._history_file = places.state / "history.json"
        self._work = places.state / "work"
        self._standing = StandingFile(places.state, self._now())

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
        if self._source is None:
            self._standing.fetched()
            if not self._bundles():
                self._standing.nothing_held()
                return True
        keys = read_keys(sorted(self._places.keys.glob("*.pem")))
        if self._source is not None:
            self._fetch(self._source, keys)
        while any(self._still_arrives(path, keys) for path in self._bundles()):  # who brings it waits, and so do we
            self._tools.sleep(LOOK_EVERY_S)
        found = self._candidates(self._bundles(), keys)
        if not found:
            self._standing.nothing_held()
            return True
        newest = self._newest(found)
        if self._is_held(newest):
            return True
        if (status := read_status(self._places.status)) is not None and status.version != self._tools.version:
            # It runs from the slot that would be cleared now: a request of an earlier run was missed.
            self._ask_for_restart(f"{status.version} runs and {self._tools.version} is in use")
            log.warning("update_put_off", runs=status.version, in_use=self._tools.version)
            return True
        return self._take(newest)

    def _candidates(self, bundles: Sequence[Path], keys: Sequence[Ed25519PublicKey]) -> list[_Candidate]:
        """The bundles that this unit takes; each of the others is told why not, once, and removed."""
        here = self._here()
        found = []
        for path in bundles:
            try:
                found.append(_Candidate(path, _judged(path, keys, here)))
            except _InUseAlready as already:
                self._done(path, Result.PASSED_OVER, str(already), here.version)
            except BundleRefused as refused:
                self._done(path, Result.REFUSED, str(refused))
        return found

    def _newest(self, found: Sequence[_Candidate]) -> _Candidate:
        """The one that is taken; the others are told and removed."""
        newest = max(found, key=lambda each: number(each.manifest.version))
        for other in found:
            if other is not newest:
                text = f"{newest.path.name} is as new or newer"
                self._done(other.path, Result.PASSED_OVER, text, other.manifest.version)
        return newest

    def _fetch(self, source: Source, keys: Sequence[Ed25519PublicKey]) -> None:
        here = self._here()
        url = f"{source.url.rstrip('/')}/{here.machine}-cp{here.python.replace('.', '')}{SUFFIX}"
        try:
            Fetcher(url, source.context, self._places.state, keys, here).fetch()
        except NotFetched as why:
            log.warning("update_not_fetched", url=url, why=str(why))
            self._standing.not_fetched(str(why), bad=isinstance(why, BadServer))
        else:
            self._standing.fetched()

    def _bundles(self) -> list[Path]:
        return sorted(self._incoming.glob(f"*{SUFFIX}"))

    def _still_arrives(self, path: Path, keys: Sequence[Ed25519PublicKey]) -> bool:
        """Whether the rest of this file is still being copied."""
        if self._tools.wall_s() - path.stat().st_mtime > STILL_COPIED_S:
            return False
        try:
            _read(path, keys)
        except BundleShort:
            return True
        except BundleRefused:
            return False  # told when it is judged
        return False

    def _here(self) -> Here:
        history = History.read(self._history_file)
        return Here(
            self._tools.version,
            platform.machine(),
            f"{sys.version_info.major}.{sys.version_info.minor}",
            history.proven,
            history.failed,
            history.attempts,
        )

    def _take(self, candidate: _Candidate) -> bool:
        manifest, slot = candidate.manifest, self._slots.in_use().other
        try:
            self._fill(candidate)
        except (InstallFailed, BundleRefused) as refused:  # the daemon was not touched; another copy may be better
            self._done(candidate.path, Result.REFUSED, str(refused), manifest.version)
            return False
        self._slots.settled_on_disk(slot)
        if self._is_held(candidate):  # a call that came meanwhile
            return True
        History.read(self._history_file).tried(manifest).write(self._history_file)  # before it can go wrong
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
        History.read(self._history_file).passed(manifest).write(self._history_file)
        text = f"version {manifest.version} is in use in slot {slot.value}"
        self._done(candidate.path, Result.TAKEN, text, manifest.version)
        return True

    def _taken_back(self, candidate: _Candidate, verdict: Bad) -> None:
        history = History.read(self._history_file)
        outcome, version = f"{verdict.why}; version {self._tools.version} is in use", candidate.manifest.version
        if verdict.by_chance and history.attempts.get(candidate.manifest.identity, 0) < ATTEMPTS:
            self._tell(candidate.path, Result.TAKEN_BACK, f"{outcome}, and this one is tried once more", version)
            return
        history.refused(candidate.manifest, verdict.why).write(self._history_file)
        self._done(candidate.path, Result.TAKEN_BACK, outcome, version)

    def _fill(self, candidate: _Candidate) -> None:
        """Put the version into the slot that is not in use."""
        manifest, slot = candidate.manifest, self._slots.in_use().other
        path = self._slots.clear(slot)
        needed, free = manifest.size_bytes * ROOM_FACTOR, shutil.disk_usage(self._slots.folder).free
        if free < needed:
            msg = f"it needs {needed // 1_000_000} MB and the disk has {free // 1_000_000} MB free"
            raise InstallFailed(msg)
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir()
        try:
            with candidate.path.open("rb") as bundle:
                # Read anew from its first byte: what was judged a moment ago may have been replaced since.
                again = read_manifest(bundle, read_keys(sorted(self._places.keys.glob("*.pem"))))
                if again != manifest:
                    msg = "it changed while it was read: bring it again"
                    raise BundleRefused(msg)
                wheels = unpack(bundle, manifest, self._work)
            self._tools.install(wheels, path)
            self._tools.prove(path, manifest.version, self._places.config)
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _watch(self, version: str, before: UnitStatus | None) -> Good | Bad:
        began_s = self._tools.monotonic_s()
        self._ask_for_restart(f"trial of {version}")
        trial = Trial(version, before, began_s)
        while (verdict := trial.look(read_status(self._places.status), self._tools.monotonic_s())) is None:
            self._tools.sleep(LOOK_EVERY_S)
        return verdict

    def _is_held(self, candidate: _Candidate) -> bool:
        """Whether the daemon must not be restarted now. One that does not live holds nothing up: this may mend it."""
        status = read_status(self._places.status)
        if status is None or not status.open_calls:
            self._standing.nothing_held()
            return False
        why = "a call is open"
        log.info("update_held", bundle=candidate.path.name, why=why)
        self._standing.held(candidate.manifest.version, why)
        return True

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._tools.wall_s(), UTC)

    def _ask_for_restart(self, why: str) -> None:
        self._places.restart.write_text(f"{why}\n", encoding="utf-8")

    def _done(self, path: Path, result: Result, text: str, version: str | None = None) -> None:
        """Tell what became of a bundle, and remove it."""
        self._tell(path, result, text, version)
        path.unlink()
        sync_folder(path.parent)

    def _tell(self, path: Path, result: Result, text: str, version: str | None) -> None:
        """Tell it to the journal, to the engineer and to the daemon, which tells the control room."""
        outcome = f"{result.replace('-', ' ')}: {text}"
        tell = log.info if result is Result.TAKEN else log.warning
        tell("update_done", bundle=path.name, outcome=outcome)
        self._standing.ended(result, path.name, version, text, self._now())
        outcomes = self._places.state / "outcomes.txt"
        earlier: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            earlier = outcomes.read_text(encoding="utf-8", errors="replace").splitlines()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = [*earlier[1 - OUTCOMES_KEPT :], f"{now} {path.name}: {outcome}"]
        put_whole(outcomes, "".join(f"{line}\n" for line in lines).encode(), 0o644)


def _judged(path: Path, keys: Sequence[Ed25519PublicKey], here: Here) -> Manifest:
    """What a bundle says of itself, once it is known to be signed, whole and for this unit.

    Raises:
        BundleRefused: it is not.
    """
    manifest = _read(path, keys)
    if why := refusal(manifest, here):
        raise (_InUseAlready if manifest.version == here.version else BundleRefused)(why)
    return manifest


def _read(path: Path, keys: Sequence[Ed25519PublicKey]) -> Manifest:
    """What a bundle says of itself, once it is known to be signed and as long as it says.

    Raises:
        BundleShort: it ends too early.
        BundleRefused: nobody signed it whom this unit knows, or it is no bundle.
    """
    with path.open("rb") as bundle:
        manifest = read_manifest(bundle, keys)
        if os.fstat(bundle.fileno()).st_size < bundle.tell() + manifest.size_bytes:
            msg = "it ends too early: the copy broke off, bring it again"
            raise BundleShort(msg)
    return manifest
