"""How a client of a broker behaves, and whom its connections tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.uplink.client_mark import ClientMark

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.publication import Received, Subscription


@dataclass(frozen=True)
class Manners:
    """How a client behaves on every one of its connections."""

    name: str
    """Who it is, for people; on the broker it is known by this and a mark."""
    subscriptions: tuple[Subscription, ...] = ()
    keepalive_s: float = 25.0
    session_expiry_s: int = 86_400
    """How long the broker keeps what comes for us while we are away."""
    max_payload: int = 16 * 1024
    """Bytes; a larger payload is refused."""
    hands_over_all: bool = False
    """What is too large, and came all the same, is handed over too: to somebody who refuses it with a reason."""
    puback_within_s: float = 10.0
    """A broker that does not acknowledge for so long is not there. The keep-alive alone finds a half-open connection
    only after twice its time, 50 s: too long for a help call (goal 1: 10 s)."""
    background: bool = False
    """It carries what can wait: its packets stand behind those of the unit's other connections."""
    mark: ClientMark = field(default_factory=ClientMark)
    """Makes the client id one that nobody guesses. A session that is to outlast this run needs one that is kept."""

    @property
    def client_id(self) -> str:
        """What the broker knows this client by; whoever else says it throws this one out, so it is told to nobody."""
        return self.mark.on(self.name)


@dataclass(frozen=True)
class Hooks:
    """What a connection tells, on the event loop."""

    opened: Callable[[], None]
    """The broker accepted us; called before anything that it sends."""
    message: Callable[[Received], None]
    refused: Callable[[str], None]
    """A received message, or a subscription of ours, was refused; why."""
