"""What one health check found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Reading:
    """The facts for the heartbeat and the faults that they amount to."""

    facts: Mapping[str, float | int | bool | str | None]
    """By name with unit."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Code -> one sentence for a person; a code that is gone in the next reading is restored."""
