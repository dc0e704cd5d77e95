"""Two places for a certificate and its key: the one in use, and the one before it or the next one to be tried.

    STATE/tls/a/      cert.pem, key.pem, perhaps ca.pem
    STATE/tls/b/
    STATE/tls/active  -> a or b; without it the files that the configuration names are in use

A new certificate is put into the place that is not in use, whole or not at all, with a mark that it is untried. It is
taken into use by one step, the turn of the link, after a connection with it was accepted; the place before it stays as
it is. So a power cut at any moment leaves a certificate that works.

Whom to trust is never older than the certificate in use: an authority that was replaced, perhaps because somebody stole
its key, comes back neither with the certificates from before nor with the next one. Blocking: belongs into a thread.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from agent.durable import put_whole, sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GIVEN: Final = "given"
"""The files that the configuration names."""
_SLOTS: Final = ("a", "b")
_ACTIVE: Final = "active"
_UNTRIED: Final = "untried"
_COMING: Final = ".coming"
_GOING: Final = ".going"


@dataclass(frozen=True)
class Identity:
    """With which files this end shows who it is, and judges the other."""

    name: str
    """`given`, `a` or `b`."""
    ca_file: Path | None
    """None: the authorities that the machine trusts."""
    cert_file: Path
    key_file: Path


class Slots:
    """The identities of a unit."""

    def __init__(self, folder: Path, given: Identity) -> None:
        """Slots below a unit's state folder, which may be missing.

        Args:
            folder: `STATE/tls`.
            given: The files that the configuration names: the first identity, and the last resort.
        """
        self._folder = folder
        self.given = given
        """The files that the configuration names."""

    def active(self) -> Identity:
        """The identity that is in use."""
        slot = self._active_slot()
        return self.given if slot is None else self._identity(slot)

    def in_order(self) -> Sequence[Identity]:
        """The identities to be used: the active one, the one before it, and the files of the configuration.

        Those from before lend their certificate and key only. All judge the broker by the active one's authority: else
        whoever holds the old authority's key would be trusted as soon as he turned the active one away.
        """
        active, candidate = self.active(), self.candidate()
        slots = [self._identity(slot) for slot in _SLOTS if (self._folder / slot).is_dir()]
        others = [identity for identity in (*slots, self.given) if identity not in {active, candidate}]
        return [active, *(replace(other, ca_file=active.ca_file) for other in others)]

    def candidate(self) -> Identity | None:
        """The identity that waits to be tried."""
        spare = self._spare_slot()
        return self._identity(spare) if (self._folder / spare / _UNTRIED).exists() else None

    def put(self, cert: bytes, key: bytes, ca: bytes | None = None) -> Identity:
        """Put a new identity into the place that is not in use; on return it outlives a power cut.

        Args:
            cert: The certificate and those of the authorities above it (PEM).
            key: Its private key (PEM).
            ca: The authority to trust from then on; None goes on trusting that of the active identity.

        Raises:
            OSError: what was there before may be gone; what is in use is as it was.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        coming, going = self._folder / _COMING, self._folder / _GOING
        spare = self._folder / self._spare_slot()
        for left_behind in (coming, going):
            shutil.rmtree(left_behind, ignore_errors=True)
        if ca is None and (slot := self._active_slot()) is not None and (own := self._own_ca(slot)) is not None:
            ca = own.read_bytes()  # else a renewal would bring back the configuration's, which was replaced
        coming.mkdir(mode=0o700)
        put_whole(coming / "cert.pem", cert)
        put_whole(coming / "key.pem", key)
        if ca is not None:
            put_whole(coming / "ca.pem", ca)
        put_whole(coming / _UNTRIED, b"")
        if spare.exists():
            spare.rename(going)  # whole, so that a power cut leaves no half of it to be used
        coming.rename(spare)
        sync_folder(self._folder)
        shutil.rmtree(going, ignore_errors=True)
        return self._identity(spare.name)

    def promote(self, candidate: Identity) -> None:
        """Take the candidate into use: one step, which outlives a power cut.

        Raises:
            OSError: what was in use still is.
            ValueError: it is not the candidate.
        """
        if candidate != self.candidate():
            msg = f"{candidate.name} does not wait to be tried"
            raise ValueError(msg)
        was = self._active_slot()
        if was is not None:
            # The power may have gone between the last turn and this: what is in use is tried.
            (self._folder / was / _UNTRIED).unlink(missing_ok=True)
        turned = self._folder / f".{_ACTIVE}.part"
        turned.unlink(missing_ok=True)
        turned.symlink_to(candidate.name)
        turned.replace(self._folder / _ACTIVE)
        sync_folder(self._folder)
        (self._folder / candidate.name / _UNTRIED).unlink(missing_ok=True)

    def _active_slot(self) -> str | None:
        try:
            slot = str((self._folder / _ACTIVE).readlink())
        except OSError:
            return None
        return slot if slot in _SLOTS and (self._folder / slot).is_dir() else None

    def _spare_slot(self) -> str:
        return "b" if self._active_slot() == "a" else "a"

    def _identity(self, slot: str) -> Identity:
        place = self._folder / slot
        return Identity(slot, self._own_ca(slot) or self.given.ca_file, place / "cert.pem", place / "key.pem")

    def _own_ca(self, slot: str) -> Path | None:
        ca = self._folder / slot / "ca.pem"
        return ca if ca.exists() else None
