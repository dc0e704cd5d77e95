"""What a fleet went through, in figures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any, Final

REMEMBERED: Final = 20_000
"""Of this many alerts, the newest, the times are kept."""


@dataclass
class Tally:
    """Counts of a whole fleet; each unit adds to the same one."""

    units: int
    connected: int = 0
    """Links that are up now."""
    connections: int = 0
    """Links that came up, since the beginning."""
    lost: int = 0
    """Links that went down, since the beginning."""
    heartbeats: int = 0
    """Those that the broker took."""
    raised: int = 0
    acknowledged: int = 0
    """Alerts that a receiver has."""
    sent: int = 0
    """Publications of alerts, repetitions included."""
    refused: int = 0
    """What the broker, or a unit's inbox, did not take."""
    took_s: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """From raising an alert to the receiver's acknowledgement at the unit."""

    @property
    def waiting(self) -> int:
        """Alerts that no receiver has acknowledged yet."""
        return self.raised - self.acknowledged

    def facts(self) -> dict[str, Any]:
        """All of it, as plain values."""
        ordered = sorted(self.took_s)
        times: dict[str, float | None] = {"ackP50Ms": None, "ackP99Ms": None, "ackMaxMs": None}
        if ordered:
            p99 = ordered[ceil(0.99 * len(ordered)) - 1]
            named = zip(times, (median(ordered), p99, ordered[-1]), strict=True)
            times = {name: round(value * 1000, 1) for name, value in named}
        return {
            "units": self.units,
            "connected": self.connected,
            "connections": self.connections,
            "lost": self.lost,
            "heartbeats": self.heartbeats,
            "alertsRaised": self.raised,
            "alertsAcknowledged": self.acknowledged,
            "alertsWaiting": self.waiting,
            "alertsSent": self.sent,
            "refused": self.refused,
            **times,
        }
