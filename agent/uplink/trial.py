"""The trial of a new certificate: does the broker take it, and what is published with it?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.uplink.connection import Connection
from agent.uplink.manners import Hooks, Manners
from agent.uplink.publication import LinkDown, Publication, PublishRefused
from agent.uplink.topics import UnitTopics
from agent.uplink.wire import Wire

if TYPE_CHECKING:
    from agent.config.settings import UnitSettings
    from agent.uplink.endpoint import Endpoint

TRY_WITHIN_S: Final = 20.0
"""Longer than the link waits for a broker that says nothing."""
LEFT_WITHIN_S: Final = 1.5
"""As long as the link waits for a connection's thread to end (`agent.uplink.link`)."""
TRY_AGAIN_S: Final = (30.0, 300.0, 900.0, 3600.0)
"""Waits before a new certificate is tried again; the last one repeats."""


@dataclass(frozen=True)
class Trials:
    """How it stands with a new certificate."""

    failures: int = 0
    due_s: float | None = None
    """Not before this, on the monotonic clock."""

    def is_due(self, now_s: float) -> bool:
        """Whether it is to be tried now."""
        return self.due_s is None or now_s >= self.due_s

    def failed(self, now_s: float) -> Trials:
        """It did not work now."""
        wait_s = TRY_AGAIN_S[min(self.failures, len(TRY_AGAIN_S) - 1)]
        return Trials(self.failures + 1, now_s + wait_s)


async def refusal_by(endpoint: Endpoint, unit: UnitSettings) -> str | None:
    """Why the broker refused, as the end of a sentence; None when it takes us and what we publish.

    Args:
        endpoint: The broker, to whom the new certificate is shown and no other.
        unit: Who we are.
    """
    # A client of its own: with the unit's client id the broker would push the unit itself out.
    name = f"{unit.id}-renewal"
    hooks = Hooks(opened=_ignore, message=_ignore, refused=_ignore)
    connection = Connection(endpoint, Manners(name, session_expiry_s=0), None, hooks, Wire())
    connection.start()
    try:
        if not await _first_of(connection.opened, connection.ended, timeout_s=TRY_WITHIN_S):
            return "the broker did not answer"
        if not connection.is_open:
            return connection.reason
        # An empty message says nothing to anybody; whether the broker takes it says all about our rights.
        await connection.send(Publication(UnitTopics(unit.org, unit.id).response(name), b""))
    except (LinkDown, PublishRefused) as error:
        return str(error)
    finally:
        if connection.is_open:
            connection.leave()
        await _first_of(connection.ended, timeout_s=LEFT_WITHIN_S)
        connection.abandon("it did not end by itself")
    return None


async def _first_of(*events: asyncio.Event, timeout_s: float) -> bool:
    """Wait for the first of these events; whether one came in time."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return bool(done)


def _ignore(*_: object) -> None:
    """Nobody speaks over a connection that only tries."""
