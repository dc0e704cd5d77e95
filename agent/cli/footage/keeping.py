"""What each segment is kept for, as the files beside the footage say it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.footage.keep.holds import Hold, Holds, HoldsDamaged
from agent.footage.store.incident_files import read_incident

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.cli.footage.desk import Desk
    from agent.footage.store.incident_files import IncidentFolder

HELD, INCIDENT, ROLLING = "held", "incident", "rolling"


@dataclass(frozen=True)
class Keeping:
    """Who keeps what."""

    holds: list[Hold]
    damage: str | None
    """Why nobody knows all that is held, in which case the unit removes nothing; None: all holds can be read."""
    kept: dict[str, str]
    """The storage class of each segment that is not rolling, by its name."""
    media_bytes: Counter[str]
    """What clips and stills of incidents hold, by storage class."""


def read_keeping(desk: Desk) -> Keeping:
    """Look at the holds and the incidents.

    Raises:
        UsageError: the disk does not let us.
    """
    damage = None
    try:
        try:
            holds = Holds(desk.footage).all()
        except HoldsDamaged as damaged:
            holds, damage = damaged.readable, str(damaged)
        incidents = list(_incidents(desk.footage))
    except OSError as error:
        msg = f"what is held in {desk.footage} cannot be read: {error.strerror or error}"
        raise UsageError(msg) from error
    held = [stretch for hold in holds for stretch in hold.stretches]
    kept = {} if damage is None else {segment.name: HELD for segment in desk.library.filmed}
    shown = [incident.stretch for incident in incidents if incident.stretch is not None]
    for of_class, stretches in ((INCIDENT, shown), (HELD, held)):  # the later one counts where both apply
        for stretch in stretches:
            kept.update((segment.name, of_class) for segment in desk.chronology.touched(stretch))
    media_bytes: Counter[str] = Counter()
    for incident in incidents:
        seen = incident.stretch
        is_held = damage is not None or (seen is not None and any(seen.overlaps(each) for each in held))
        media_bytes[HELD if is_held else INCIDENT] += incident.size_bytes
    return Keeping(holds, damage, kept, media_bytes)


def _incidents(footage: Path) -> Iterator[IncidentFolder]:
    """Yield what incidents keep."""
    try:
        folders = sorted((footage / "incidents").iterdir())
    except FileNotFoundError:
        return  # no incident yet
    for folder in folders:
        try:
            yield read_incident(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it went while we looked, or is none
