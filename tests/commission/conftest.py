"""A town whose unit nobody has walk-tested yet."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent import journal
from fakes.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterator

SENSES_ONLY = {
    "voice": {"enabled": False},
    "camera": {"enabled": False},
    "arming": {"mode": "manual", "windows": []},
    "uplink": {"heartbeat_s": 1.0},
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="walk-") as name:
        yield Path(name)


@pytest.fixture
def town_with(folder: Path) -> Any:  # noqa: ANN401 - a maker of towns
    """Build a town around a shop's unit with these sections of its file changed."""
    journal.set_up()

    def build(*, commissioned: bool = False, **overrides: Any) -> Town:  # noqa: ANN401 - sections of a YAML file
        return Town(folder, "safe-space", {**SENSES_ONLY, **overrides}, commissioned=commissioned)

    return build
