"""That a unit lives, and how: its heartbeat, and its birth, good-bye and last will."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from agent.uplink import topics
from agent.uplink.jsonable import jsonable
from agent.uplink.messages.message import Document, Kind, Message, event, new_id, unit_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.clock import Moment
    from agent.config.settings import UnitSettings
    from agent.life import Life


class State(StrEnum):
    """What a status message says about its unit."""

    ONLINE = "online"
    STOPPED = "stopped"
    """It says good-bye: somebody stops it in order."""
    LOST = "lost"
    """The broker says it: the last will."""


def heartbeat(unit: UnitSettings, now: Moment, facts: Mapping[str, Any]) -> Message:
    """Proof of life.

    Args:
        unit: Who lives.
        now: The present moment.
        facts: The unit's health, by the names of the schema's `data`: at least `state`, `uptimeS`, `intervalS`, `sw`,
            `arm`, `faults` and `outbox`.
    """
    data = {
        "bootId": now.boot_id,
        "clock": {"quality": str(now.quality), "synced": now.quality == "synced"},
    } | jsonable(facts)
    document = event(new_id(), unit_source(unit), "unit.heartbeat", now.wall, data)
    topic = topics.UnitTopics(unit.org, unit.id).heartbeat
    return Message(Kind.HEARTBEAT, topic, document, retain=True, expiry_s=topics.HEARTBEAT_EXPIRY_S)


def status(  # noqa: PLR0913 - birth, good-bye and will are one message
    unit: UnitSettings,
    now: Moment,
    state: State,
    *,
    software: str,
    skipped: Sequence[tuple[int, int]] = (),
    reason: str | None = None,
    path: str | None = None,
    paths: Sequence[str] = (),
    life: Life | None = None,
    last_sequence: int | None = None,
) -> Message:
    """A unit's birth, good-bye or last will.

    Args:
        unit: Whose.
        now: The present moment; a will says when it was made, the broker tells nobody when it sent it.
        state: Which of the three.
        software: The unit's version.
        skipped: Spans of sequence numbers (first, last) that were given to nothing.
        reason: Why it stops, in words.
        path: Which of its paths was born or died, where it has several.
        paths: All of them; a unit is lost when the last one died.
        life: Which life of which installation says it.
        last_sequence: The number of the last alert revision, so that the loss of the newest shows at once.
    """
    data: Document = {
        "state": str(state),
        "bootId": now.boot_id,
        "sw": software,
        "skipped": [list(span) for span in skipped],
        "reason": reason,
    }
    if paths:
        data |= {"path": path, "paths": list(paths)}
    if life is not None:
        data["life"] = life.facts()
    if last_sequence is not None:
        data["lastSequence"] = last_sequence
    document = event(new_id(), unit_source(unit), "unit.status", now.wall, data)
    return Message(Kind.STATUS, topics.UnitTopics(unit.org, unit.id).status, document, retain=True)
