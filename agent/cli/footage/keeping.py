"""What each segment is kept for, as the files beside the footage say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.footage.holds import Hold, Holds, HoldsDamaged
from agent.footage.incident_files import read_incident

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.cli.footage.desk import Desk
    from agent.footage.stretch import Stretch

HELD, INCIDENT, ROLLING = "held", "incident", "rolling"
CLASSES = (HELD, INCIDENT, ROLLING)


@dataclass(frozen=True)
class Keeping:
    """Who keeps what."""

    holds: list[Hold]
    damage: str | None
    """Why nobody knows all that is held, in which case the unit removes nothing; None: all holds can be read."""
    kept: dict[str, str]
    """The storage class of each segment that is not rolling, by its name."""


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
    kept: dict[str, str] = {}
    if damage is not None:
        kept = {segment.name: HELD for segment in desk.library.filmed}
    for of_class, stretches in (
        (INCIDENT, incidents),
        (HELD, [stretch for hold in holds for stretch in hold.stretches]),  # the later one counts where both apply
    ):
        for stretch in stretches:
            kept.update((segment.name, of_class) for segment in desk.chronology.touched(stretch))
    return Keeping(holds, damage, kept)


def _incidents(footage: Path) -> Iterator[Stretch]:
    """Yield the footage that shows incidents."""
    try:
        folders = sorted((footage / "incidents").iterdir())
    except FileNotFoundError:
        return  # no incident yet
    for folder in folders:
        try:
            stretch = read_incident(folder).stretch
        except (FileNotFoundError, NotADirectoryError):
            continue  # it went while we looked, or is none
        if stretch is not None:
            yield stretch
