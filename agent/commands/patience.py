"""How long a command may take without a word. Pure: time is an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.signals import CommandName

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.commands.ledger import Entry

LIMIT_S: Final = {
    CommandName.LIGHT: 1000.0,
    CommandName.ANNOUNCE: 60.0,
    CommandName.RESTART_PART: 120.0,
    CommandName.CLIP: 1200.0,
    CommandName.SELF_TEST: 900.0,
    CommandName.UPLOAD: 86_400.0,
}
"""After this long without a word a command has failed; `light` and `clip` may have to wait for their end first."""
USUAL_LIMIT_S: Final = 700.0


def is_overdue(entry: Entry, now: Moment) -> bool:
    """Whether nothing was heard of a command for too long, or since another boot."""
    since = entry.since or entry.came
    if since.boot_id != now.boot_id:
        return True
    return now.monotonic_s - since.monotonic_s > LIMIT_S.get(entry.name, USUAL_LIMIT_S)
