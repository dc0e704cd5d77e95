"""What the stories of the control room share: a town with a real broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.authority import Authority
from fakes.broker import Broker
from tests.control_room.hand_unit import ORG, Town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A town of its own for each story."""
    authority = Authority(tmp_path / "authority")
    async with Broker(tmp_path / "broker", authority, org=ORG) as broker:
        yield Town(broker, authority)
