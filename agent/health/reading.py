"""What one health check found."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the types of a reading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """The facts for the heartbeat and the faults that they amount to."""

    facts: Mapping[str, float | int | bool | str | None]
    """By name with unit."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Code -> one sentence for a person; a code that is gone in the next reading is restored."""
    tampered: frozenset[str] = frozenset()
    """Those of the codes that say that a hand was here, not wear: they are told as tamper."""
