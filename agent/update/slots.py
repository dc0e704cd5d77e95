"""Two places for the agent's code, and which of them is in use.

    slots/a, slots/b   a whole environment each, with `bin/safepoint`
    slots/current      a link to one of them: what systemd starts (/opt/safepoint/bin/safepoint leads through it)
    slots/trial        only during a trial: the slot to go back to

Each change is one rename that a power cut leaves done or not done. While `trial` is there, the code in use is not
proven: whoever finds it without the program that watches the trial (`systemd/settle-slot`: at each boot, and when that
program ends in whatever way) turns `current` back first and removes it then.
"""

from __future__ import annotations

import shutil
import subprocess
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.durable import put_whole, sync_folder

if TYPE_CHECKING:
    from pathlib import Path


class Slot(StrEnum):
    """One of the two."""

    A = "a"
    B = "b"

    @property
    def other(self) -> Slot:
        """The other one."""
        return Slot.B if self is Slot.A else Slot.A


def slot_of(environment: Path) -> Slot | None:
    """Which slot an environment of Python is; None for any other, as on a developer's machine."""
    in_one = environment.name in {*Slot} and environment.parent.name == "slots"
    return Slot(environment.name) if in_one else None


class SlotsUnusable(Exception):
    """The slots are not as provisioning makes them; one sentence says what is wrong."""


class Slots:
    """The slots of one unit. Only one program at a time changes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def in_use(self) -> Slot:
        """The slot that systemd starts.

        Raises:
            SlotsUnusable: there is none.
        """
        link = self.folder / "current"
        try:
            return Slot(str(link.readlink()))
        except (OSError, ValueError) as error:
            msg = f"{link} is no link to slot a or b: provision this unit again"
            raise SlotsUnusable(msg) from error

    def path(self, slot: Slot) -> Path:
        """Where a slot lies."""
        return self.folder / slot.value

    def clear(self, slot: Slot) -> Path:
        """Remove what is in a slot that is not in use; returns where the new one goes.

        Raises:
            SlotsUnusable: it is in use, or what is in use is on trial.
            OSError: it cannot be removed.
        """
        if slot is self.in_use() or self.on_trial() is not None:
            msg = f"slot {slot.value} may be needed: nothing was changed in it"
            raise SlotsUnusable(msg)
        path = self.path(slot)
        if path.exists():
            shutil.rmtree(path)
            sync_folder(self.folder)
        return path

    def settled_on_disk(self, slot: Slot) -> None:
        """Return when all of a slot outlives a power cut.

        Raises:
            OSError: the disk does not take it.
        """
        done = subprocess.run(["sync", "--file-system", str(self.path(slot))], check=False, capture_output=True)
        if done.returncode != 0:
            raise OSError(done.stderr.decode(errors="replace").strip())

    def on_trial(self) -> Slot | None:
        """The slot to go back to while the one in use is not proven.

        Raises:
            SlotsUnusable: somebody else wrote that down.
        """
        mark = self.folder / "trial"
        try:
            return Slot(mark.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            msg = f"{mark} names no slot: look at it, then remove it"
            raise SlotsUnusable(msg) from error

    def begin_trial(self, slot: Slot) -> None:
        """Use this slot from the daemon's next start on, until it is kept or taken back.

        Raises:
            OSError: the disk does not take it; the slot in use before still is, or is gone back to.
        """
        put_whole(self.folder / "trial", f"{self.in_use().value}\n".encode(), 0o644)
        self._turn(slot)

    def keep(self) -> None:
        """The slot in use has passed its trial."""
        (self.folder / "trial").unlink()
        sync_folder(self.folder)

    def take_back(self) -> None:
        """Use the slot again that was in use before the trial; nothing happens without one."""
        if (before := self.on_trial()) is not None:
            self._turn(before)
            self.keep()

    def _turn(self, slot: Slot) -> None:
        part = self.folder / ".current.new"
        part.unlink(missing_ok=True)
        part.symlink_to(slot.value)
        part.replace(self.folder / "current")
        sync_folder(self.folder)
