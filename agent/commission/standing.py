"""What of a commissioning still holds for the configuration that a unit runs with.

Which way to err: a call that is marked as a test brings nobody. So a disk that does not answer, or another wait or
retention, never makes a test of what was proved; another pin makes tests of its own sensor alone, and only another
site, another unit's file or a broken signature make tests of everything. Each of these is a fault or stands in the
heartbeat.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from agent.commission.parts import PART, SENSOR, SITE, fingerprints
from agent.commission.seal import SealBroken, unseal
from agent.durable import put_whole, sync_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.config.settings import Config

FILE_NAME: Final = "commissioned.json"
SECRET_BYTES: Final = 32


class State(StrEnum):
    """How far the unit is proved."""

    NONE = "none"
    """It was never commissioned here, or that was withdrawn."""
    PASSED = "passed"
    PARTLY = "partly"
    """Something was changed since, and only that is not proved."""
    MOVED = "moved"
    """It stands elsewhere, or is another unit, since."""
    INVALID = "invalid"
    """What is there is not what this unit signed."""
    UNREADABLE = "unreadable"
    """The disk does not give it: what was proved is taken for proved."""


FAULTY: Final = frozenset({State.PARTLY, State.MOVED, State.INVALID})
"""What somebody has to look after. A unit that was never commissioned is not broken, its heartbeat says it; and a disk
that does not answer is told by whoever writes to it."""
NOTHING_PROVED: Final = frozenset({State.NONE, State.MOVED, State.INVALID})


@dataclass(frozen=True)
class Standing:
    """What is proved."""

    state: State
    text: str
    """For a person."""
    untested: frozenset[str] = frozenset()
    """Sensors that were changed since."""
    changed: tuple[str, ...] = ()
    """Everything that was, as a person calls it."""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether every alert is a test."""
        return self.state in NOTHING_PROVED

    def facts(self) -> dict[str, Any]:
        """For the heartbeat. Not who proved it: that is on the sheet, and nobody who watches units needs the name."""
        facts: dict[str, Any] = {"state": self.state, "test": self.nothing, "untested": sorted(self.untested)}
        if self.changed:
            facts["changed"] = list(self.changed)
        if self.result:
            facts["at"] = self.result.get("ended")
            facts["papers"] = _papers(self.result)
        return facts


def _papers(result: Mapping[str, Any]) -> dict[str, str]:
    """Until when each paper holds that allows the unit, by its name."""
    steps = (each for each in result.get("steps", []) if isinstance(each, dict))
    return {each["id"]: each["facts"]["expires"] for each in steps if "expires" in each.get("facts", {})}


def new_secret() -> bytes:
    """A secret to key fingerprints with."""
    return secrets.token_bytes(SECRET_BYTES)


def put(folder: Path, sealed: bytes, secret: bytes) -> None:
    """From now on this is the unit's commissioning; on return it outlives a power cut.

    Raises:
        OSError: the one before still is.
    """
    put_whole(folder / FILE_NAME, json.dumps({"sealed": json.loads(sealed), "secret": secret.hex()}).encode())


def withdraw(folder: Path) -> bool:
    """The unit is not commissioned any more: it goes elsewhere. Whether it was.

    Raises:
        OSError: it still is.
    """
    try:
        (folder / FILE_NAME).unlink()
    except FileNotFoundError:
        return False
    sync_folder(folder)
    return True


def read_standing(config: Config) -> Standing:
    """What holds of the commissioning in the unit's state folder. Blocking."""
    path = config.state_folder / FILE_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Standing(State.NONE, "This unit was not commissioned here: every alert is a test.")
    except OSError as error:
        return unreadable(str(error.strerror))
    try:
        kept = json.loads(content)
        opened = unseal(json.dumps(kept["sealed"]).encode())
        secret = bytes.fromhex(kept["secret"])
    except (SealBroken, ValueError, KeyError, TypeError, RecursionError) as error:
        return _invalid(str(error))
    return judge(config, opened.result, opened.signer, secret)


def unreadable(why: str) -> Standing:
    """The disk does not tell."""
    text = f"The commissioning cannot be read ({why}): what was proved before is taken for proved."
    return Standing(State.UNREADABLE, text)


def judge(config: Config, result: Mapping[str, Any], signer: str, secret: bytes) -> Standing:
    """What holds of a result whose signature holds. Pure.

    Args:
        config: What the unit runs with.
        result: What was signed.
        signer: Whose certificate it was signed with.
        secret: With which its fingerprints are keyed.
    """
    if signer != config.unit.id or result.get("passed") is not True or not isinstance(result.get("parts"), dict):
        return _invalid("it is of another unit, or of a walk test that was not passed")
    proved, now = result["parts"], fingerprints(config, secret)
    if proved.get(SITE) != now[SITE]:
        text = "This unit was moved or renamed since it was commissioned: every alert is a test until it is again."
        return Standing(State.MOVED, text, result=result)
    changed = sorted(part for part, print_ in now.items() if proved.get(part) != print_)
    if not changed:
        return Standing(State.PASSED, "This unit is commissioned.", result=result)
    names = tuple(part.removeprefix(SENSOR).removeprefix(PART) for part in changed)
    untested = frozenset(part.removeprefix(SENSOR) for part in changed if part.startswith(SENSOR))
    text = f"Changed since this unit was commissioned, and not tested: {', '.join(names)}."
    if untested:
        text += " What these sensors raise is a test; everything else counts."
    return Standing(State.PARTLY, text, untested, names, result)


def _invalid(why: str) -> Standing:
    text = f"The commissioning of this unit does not hold ({why}): every alert is a test until it is commissioned."
    return Standing(State.INVALID, text)
