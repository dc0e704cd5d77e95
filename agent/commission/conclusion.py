"""The end of a commissioning: signed, printed, and, if it was passed, in force."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from agent.commission import standing
from agent.commission.course import Verdict
from agent.commission.result import result_of
from agent.commission.session import now
from agent.commission.sheet import sheet_of
from agent.commission.standing import State
from agent.local.messages import ReadCommissioning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from agent.commission.bench import Bench
    from agent.commission.seal import Signer

IN_FORCE_WITHIN_S: Final = 30.0


@dataclass(frozen=True)
class Conclusion:
    """What there is to hand over."""

    passed: bool
    in_force: bool
    """The running unit knows it, for the configuration that it runs with: its alerts are real from now on."""
    name: str
    """Of both files, without their endings."""
    sealed: bytes
    sheet: str


async def conclude(bench: Bench, signer: Signer) -> Conclusion:
    """Sign what was found; if it is enough, put it in force and see that the unit takes it.

    Raises:
        OSError: the unit's disk does not keep it.
        UnitAway: the agent went away.
    """
    session, config = bench.session, bench.config
    ended = now()
    result = result_of(config, session.course, session.kept, ended)
    sealed = signer.seal(result)
    sheet = sheet_of(result, pictures_of(result, session.folder), hashlib.sha256(sealed).hexdigest())
    passed, in_force = session.course.verdict is Verdict.PASSED, False
    if passed:
        standing.put(config.state_folder, sealed, session.secret)
        await bench.unit.do(ReadCommissioning())
        taken, _ = await bench.facts_until(partial(_taken, ended), IN_FORCE_WITHIN_S)
        in_force = taken == State.PASSED
    name = f"commissioning-{config.unit.id}-{ended[:10]}-{session.kept.session[-6:].lower()}"
    if in_force:
        session.end()
    return Conclusion(passed, in_force, name, sealed, sheet)


def _taken(ended: str, facts: Mapping[str, Any]) -> str | None:
    """How it stands with this commissioning in the unit that runs; None: it has not read it yet."""
    told = facts.get("commissioning", {})
    state: str | None = told.get("state") if told.get("at") == ended else None
    return state


def pictures_of(result: Mapping[str, Any], folder: Path) -> dict[str, bytes]:
    """The stills that the result names and that are still what they were."""
    pictures = {}
    for step in result["steps"]:
        name, sha256 = step["facts"].get("file"), step["facts"].get("sha256")
        if not name:
            continue
        try:
            jpeg = (folder / name).read_bytes()
        except FileNotFoundError:
            continue  # it was taken away; the sheet shows what there is
        if hashlib.sha256(jpeg).hexdigest() == sha256:
            pictures[name] = jpeg
    return pictures
