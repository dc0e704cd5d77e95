"""The agent's last words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.doctor.look.asking import answer
from agent.doctor.own_units import OWN_UNITS

if TYPE_CHECKING:
    from agent.doctor.look.case import Case

LINES: Final = 2000
MOST_BYTES: Final = 1024 * 1024


def look(_case: Case) -> tuple[str, ...]:
    """The last lines, of all boots that the journal still has.

    Raises:
        OSError: there is no journal.
    """
    services = [f"--unit={name}" for name in OWN_UNITS if name.endswith(".service")]
    # The newest first: what is cut away is the oldest.
    command = ("journalctl", "--quiet", "--no-pager", "--reverse", f"--lines={LINES}", "--output=short-iso")
    lines = answer(*command, *services, most_bytes=MOST_BYTES).splitlines()
    return tuple(reversed(lines))
