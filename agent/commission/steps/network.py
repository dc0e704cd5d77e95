"""The ways to the control room: that each carries, and how soon its loss is known."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from agent.commission.bench import failed, judged, passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step

KNOWN_WITHIN_S: Final = 90.0
"""A unit that cannot be reached is known as lost by then (standards.md goal 4)."""
PROVED_BEATS: Final = 3.0
"""So many heartbeats ago, at most, the broker took something over it."""


async def path(step: Step, bench: Bench) -> Result:
    """The broker takes what is sent over this path."""
    most_s = PROVED_BEATS * bench.config.uplink.heartbeat_s

    def carries(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found = _path(facts, step.of)
        age_s = found.get("provedAgeS")
        return found if found["up"] and age_s is not None and age_s <= most_s else None

    bench.talk.tell("Looking whether the broker takes what the unit sends over it ...")
    found, _ = await bench.facts_until(carries, bench.patience.unit_s)
    if found is None:
        return failed(f"nothing arrived over it within {bench.patience.unit_s:.0f} s")
    rtt_ms = found.get("rttMs")
    text = "the broker takes what is sent" + (f", and says so after {rtt_ms:.0f} ms" if rtt_ms is not None else "")
    return passed(text, rttMs=rtt_ms)


async def cable(step: Step, bench: Bench) -> Result:
    """How long it takes until the unit knows that this path is gone, and until it is back."""
    talk, way = bench.talk, step.of
    up, _ = await bench.facts_until(lambda facts: True if _path(facts, way)["up"] else None, bench.patience.unit_s)
    if up is None:
        return failed(f"the {way} path is down before its cable is pulled: nothing can be measured")
    talk.tell(
        f"Pull the cable of the {way} path (or take its SIM or aerial away) in the moment in which you press Enter."
    )
    talk.tell("Should this session go with it: it is measured all the same. Log in and call the command again.")
    await talk.ask(f"{step.id}.pulled", "Enter, and pull:", str)
    with _without_hangup():
        gone, took_s = await bench.facts_until(
            lambda facts: True if not _path(facts, way)["up"] else None, KNOWN_WITHIN_S + bench.patience.unit_s
        )
        if gone is None:
            return failed(f"the unit still thinks that it has the {way} path after {took_s:.0f} s")
        bench.session.kept.progress[step.id] = {"knownToUnitAfterS": round(took_s, 1)}
        talk.tell(f"The unit knew after {took_s:.0f} s. Put it back.")
        back, back_s = await bench.facts_until(
            lambda facts: True if _path(facts, way)["up"] else None, bench.patience.person_s
        )
    if back is None:
        return failed(f"the {way} path did not come back within {back_s:.0f} s", knownToUnitAfterS=round(took_s, 1))
    text = f"known to the unit as lost after {took_s:.0f} s (at most {KNOWN_WITHIN_S:.0f}), back {back_s:.0f} s later"
    return judged(took_s <= KNOWN_WITHIN_S, text, knownToUnitAfterS=round(took_s, 1), backAfterS=round(back_s, 1))


def _path(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((each for each in facts["paths"] if each["id"] == name), {"id": name, "up": False})
    return found


@contextmanager
def _without_hangup() -> Iterator[None]:
    """Go on though the terminal hangs up: it may be at the other end of the cable that was pulled."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
