"""The folder that bundles are put into, by hand or from a web server: which of them this unit takes, if any."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.update.bundle import BundleRefused, BundleShort, read_keys, read_manifest
from agent.update.fetch import BadServer, Fetcher, NotFetched
from agent.update.history import History
from agent.update.standing import Result
from agent.update.versions import Here, number, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from agent.update.manifest import Manifest
    from agent.update.outcomes import Outcomes
    from agent.update.places import Places, Source, Tools
    from agent.update.standing import StandingFile

log = structlog.get_logger()

SUFFIX = ".update"
STILL_COPIED_S = 60.0
"""A file that grew so lately may grow on."""
LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Candidate:
    """A bundle that is signed, whole and for this unit."""

    path: Path
    manifest: Manifest


class _InUseAlready(BundleRefused):
    """Nothing is wrong with it, and nothing is to be done."""


class Incoming:
    """All bundles that are there; each that is not taken is told why not, once, and removed."""

    def __init__(
        self, places: Places, source: Source | None, tools: Tools, standing: StandingFile, outcomes: Outcomes
    ) -> None:
        """Nothing looked at yet.

        Args:
            places: Where they lie, and the keys.
            source: The web server that they come from, beside an engineer's hand.
            tools: Clocks, and which version is in use.
            standing: Hears how it goes with the server.
            outcomes: Hears of those that are not taken.
        """
        self._places = places
        self._source = source
        self._tools = tools
        self._standing = standing
        self._outcomes = outcomes

    def newest(self) -> Candidate | None:
        """The one to take; waits for those that are still being copied, fetches one where there is a server.

        Raises:
            BundleRefused: there is no key to check bundles with.
            OSError: the disk does not work.
        """
        if self._source is None:
            self._standing.fetched()
            if not self._bundles():
                return None
        keys = read_keys(self._places.key_files)
        if self._source is not None:
            self._fetch(self._source, keys)
        while any(self._still_arrives(path, keys) for path in self._bundles()):  # who brings it waits, and so do we
            self._tools.sleep(LOOK_EVERY_S)
        found = self._candidates(keys)
        newest = max(found, key=lambda each: number(each.manifest.version), default=None)
        for other in found:
            if newest is not None and other is not newest:
                text = f"{newest.path.name} is as new or newer"
                self._outcomes.over(other.path, Result.PASSED_OVER, text, other.manifest.version)
        return newest

    def _candidates(self, keys: Sequence[Ed25519PublicKey]) -> list[Candidate]:
        here = self._here()
        found = []
        for path in self._bundles():
            try:
                found.append(Candidate(path, _judged(path, keys, here)))
            except _InUseAlready as already:
                self._outcomes.over(path, Result.PASSED_OVER, str(already), here.version)
            except BundleRefused as refused:
                self._outcomes.over(path, Result.REFUSED, str(refused))
        return found

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
        return sorted(self._places.incoming.glob(f"*{SUFFIX}"))

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
        history = History.read(self._places.history)
        return Here(
            self._tools.version,
            platform.machine(),
            f"{sys.version_info.major}.{sys.version_info.minor}",
            history.proven,
            history.failed,
            history.attempts,
        )


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
