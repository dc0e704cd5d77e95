"""What the unit and its machine say of themselves: faults, clock, disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agent.commission.bench import failed, judged, passed
from agent.commission.room import PART as COMMISSIONING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step

MOST_OFFSET_MS: Final = 50.0
"""standards.md goal 20."""
MOST_APART_MS: Final = 500.0
"""Between the clock and the true time, at worst: what it is off and what the kernel cannot vouch for, together. The
kernel's own bound (maxerror) takes in half the way to the time source and back and grows by 0.5 ms/s between looks at
it: with a source on a mobile network (up to 300 ms to and back) looked at every 64 s or 256 s it stays below 150 + 128
ms. More than half a second is the wrong second in a picture, which is what evidence is compared by."""
SPARE: Final = 4.0
"""A disk takes so many times what the camera writes: clips are cut and old segments removed beside it."""
KBIT_PER_MB: Final = 8000


async def faults(_step: Step, bench: Bench) -> Result:
    """Nothing is broken before anything is proved: a fault that stands now would stand as a test for ever."""

    def none(facts: Mapping[str, Any]) -> bool | None:
        return True if not _standing(facts) else None

    if bench.config.unit.test:
        return failed("unit.test is true in the configuration, which makes every alert a test: remove it")
    bench.talk.tell("Looking at what the unit says of itself ...")
    well, _ = await bench.facts_until(none, bench.patience.unit_s)
    if well:
        return passed("none")
    standing = _standing(await bench.unit.facts())
    for each in standing:
        bench.talk.tell(f"{each['part']} {each['code']}: {each.get('text', '')}")
    return failed(", ".join(f"{each['part']} {each['code']}" for each in standing), faults=standing)


def _standing(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The faults there are, but that of a commissioning which this one replaces."""
    return [each for each in facts["faults"] if each["part"] != COMMISSIONING]


async def clock(_step: Step, bench: Bench) -> Result:
    """The time that evidence carries."""
    found = await bench.measure(bench.machine.clock)
    facts = {
        "source": found.source,
        "offsetMs": round(found.offset_ms, 3),
        "uncertaintyMs": round(found.uncertainty_ms, 3),
    }
    if not found.synced:
        return failed(f"it is not set by a time source (source: {found.source})", **facts)
    text = f"set by {found.source}, {found.offset_ms:+.1f} ms off, at most {found.uncertainty_ms:.0f} ms"
    if abs(found.offset_ms) + found.uncertainty_ms > MOST_APART_MS:
        return failed(f"{text}: with both it may be more than {MOST_APART_MS:.0f} ms from the true time", **facts)
    return judged(abs(found.offset_ms) <= MOST_OFFSET_MS, text, **facts)


async def disk(_step: Step, bench: Bench) -> Result:
    """Whether the disk is quick and large enough, by what the camera really writes."""
    talk, needed = bench.talk, SPARE * bench.config.camera.bitrate_kbps / KBIT_PER_MB

    def known(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        footage: Mapping[str, Any] = facts.get("footage", {})
        return footage if footage.get("daysKept") is not None else None

    talk.tell("Waiting for complete segments, which say how long footage is kept ...")
    footage, _ = await bench.facts_until(known, bench.patience.unit_s)
    if footage is None:
        return failed("no segment of footage was completed: is it recording?")
    talk.tell("Writing 32 MB beside the footage ...")
    try:
        speed = await bench.measure(lambda: bench.machine.write_speed(bench.config.footage_folder))
    except OSError as error:
        return failed(f"the footage disk takes nothing: {error.strerror}")
    if speed < needed:
        return failed(f"it takes {speed:.1f} MB/s, and at least {needed:.1f} are needed", writeMbPerS=round(speed, 1))
    kept = {name: footage[name] for name in ("daysKept", "keepDays", "keptBy", "mbPerDay")}
    text = f"{speed:.0f} MB/s; footage is kept for {footage['daysKept']:g} days, ended by its {footage['keptBy']}"
    return judged(footage["keptBy"] != "disk", text, writeMbPerS=round(speed, 1), **kept)
