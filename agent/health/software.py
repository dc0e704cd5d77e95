"""Is the agent what was installed? Looked at by a program outside of its slot (`agent.software`); told here."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.health.reading import Reading
from agent.software.found import FOUND, Found, State, boot_id, boot_s
from agent.software.release import release_of
from agent.update.slots import slot_of

if TYPE_CHECKING:
    from agent.config.settings import Config

CHANGED: Final = "changed"
PART: Final = "software"
"""What this check is called in faults, after its file."""
SITE: Final = re.compile(r"lib/[^/]+/site-packages/")
"""Where nearly all of it lies: of no use to who reads the names."""
NAMED: Final = 3
FIRST_WITHIN_S: Final = 2 * 3600.0
"""After a start: systemd/safepoint-software.timer looks after two minutes, and then each hour for something to do."""
AGAIN_WITHIN_S: Final = 26 * 3600.0
"""It looks each day; an hour for the timer, and one for a busy board."""
MEANWHILE: Final = "Calls and alerts go on; uploads of footage wait"


def check(_config: Config) -> Reading:
    """What the last look found; nothing where the agent runs from no slot, as on a developer's machine."""
    environment = Path(sys.prefix)
    slot = slot_of(environment)
    if slot is None:
        return Reading({})
    return judge(Found.read(FOUND), slot.value, release_of(environment), boot_id(), boot_s())


def judge(found: Found | None, slot: str, release: str | None, boot: str, now_s: float) -> Reading:
    """What is to be told of a look.

    Args:
        found: The last one; None: there was none.
        slot: The one that this program runs from.
        release: What names it (`agent.software.release`).
        boot: Which run of the machine this is.
        now_s: Seconds since that began.
    """
    facts: dict[str, str | int | bool | None] = {"release": release, "state": "unchecked"}
    looked = found is not None and found.slot == slot
    faults: dict[str, str] = {}
    if found is not None and looked:
        facts |= {"state": found.state, "list": found.listed[:12] or None, "signed": found.signed, "files": found.files}
        match found.state:
            case State.CHANGED:
                faults[CHANGED] = f"The agent's own software was changed: {_names(found)}. {MEANWHILE}."
            case State.UNLISTED:
                faults["unlisted"] = f"Nothing says what the agent's software should be: {found.why}."
            case State.UNREADABLE:
                faults["unreadable"] = f"The agent's software cannot be read again: {found.why}."
            case State.RIGHT:
                pass
    in_this_run = found is not None and found.boot_id == boot
    age_s = now_s - found.boot_s if found is not None and in_this_run else now_s
    if age_s > (AGAIN_WITHIN_S if in_this_run else FIRST_WITHIN_S):
        faults["unchecked"] = f"Nobody has looked for {age_s / 3600:.0f} h whether the agent's software was changed."
    return Reading(facts, faults, tampered=frozenset({CHANGED}))


def _names(found: Found) -> str:
    named = [SITE.sub("", word) for word in found.wrong[:NAMED]]
    more = found.wrong_count - len(named)
    return "; ".join([*named, *([f"{more} more"] if more else []), *([found.why] if found.why else [])])
