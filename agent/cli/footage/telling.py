"""How holes, clocks and their settings are told: to people in local time, to machines in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.footage.find.when import length, utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.cli.footage.desk import Desk
    from agent.footage.find.chronology import Era, Part
    from agent.footage.find.runs import Hole, Step

Json = dict[str, object]

TRUST = {
    ClockQuality.SYNCED: "synchronised",
    ClockQuality.HOLDOVER: "running free since it was last synchronised",
    ClockQuality.UNSYNCED: "NOT synchronised: these times may be wrong",
}


def hole_line(hole: Hole, desk: Desk) -> str:
    """One hole for people."""
    how_long = length(hole.length_s) if hole.length_s > 0 else "nobody knows how long"
    why = ", the unit started anew" if hole.power_cut else ""
    return f"missing from {desk.local(hole.start)} to {desk.local(hole.end)} ({how_long}{why})"


def hole_json(hole: Hole) -> Json:
    """One hole for machines; its length is null when nobody knows it."""
    length_s = round(hole.length_s, 3) if hole.length_s > 0 else None
    return {"from": utc(hole.start), "to": utc(hole.end), "length_s": length_s, "power_cut": hole.power_cut}


def missing_s(holes: Sequence[Hole]) -> float:
    """What is missing in all, as far as it is known."""
    return round(sum(max(0.0, hole.length_s) for hole in holes), 3)


def clock_words(era: Era) -> str:
    """What is known of the clock under which this was recorded."""
    if not era.correction_s:
        return TRUST[era.quality]
    return f"not synchronised then, corrected by {signed(era.correction_s)} (names and pictures show the uncorrected)"


def clock_json(part: Part) -> Json:
    """The same for machines."""
    return {
        "from": utc(part.era.moment(part.shown_from_s)),
        "to": utc(part.era.moment(part.shown_to_s)),
        "quality": str(part.era.quality),
        "correction_s": round(part.era.correction_s, 3),
    }


def step_line(step: Step, desk: Desk) -> str:
    """One setting of the clock for people."""
    direction = "forward" if step.by_s > 0 else "back"
    return f"the clock was set {direction} by {length(abs(step.by_s))}: it became {desk.local(step.at)}"


def step_json(step: Step) -> Json:
    """The same for machines."""
    return {"at": utc(step.at), "by_s": round(step.by_s, 3)}


def signed(seconds: float) -> str:
    """A correction."""
    return f"{'+' if seconds > 0 else '-'}{length(abs(seconds))}"
