"""How recording goes: `safepoint footage status` says it, in a process of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from agent.doctor.facts import Footage
from agent.doctor.look.asking import answer
from agent.footage.store.volume import MountMissing, volume_of

if TYPE_CHECKING:
    from agent.doctor.look.case import Case

READ_WITHIN_S: Final = 20.0
"""A month of footage is read in a few seconds from a good disk."""


def look(case: Case) -> Footage | None:
    """Ask the volume, then the command."""
    if case.config is None or not case.config.camera.enabled:
        return None
    try:
        volume_of(case.config).check()
    except MountMissing as missing:
        return Footage(mount_trouble=missing.strerror)
    command = (sys.executable, "-m", "agent.cli.main", "footage", "status", "--json", "--config", str(case.file))
    try:
        return Footage(status=json.loads(answer(*command, within_s=READ_WITHIN_S)))
    except TimeoutError:
        raise
    except OSError as error:
        return Footage(refused=str(error).partition("safepoint: ")[2] or str(error))
