"""What every look begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config


@dataclass(frozen=True)
class Case:
    """The unit that is examined."""

    file: Path
    """Its configuration."""
    config: Config | None = None
    """None: it could not be read, or not yet; a part that needs it cannot be looked at then."""
