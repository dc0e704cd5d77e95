from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.street import Street
from tests.fakes.on_street import CountedSound, unit_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    async with Street(unit_config(), tmp_path, CountedSound()) as street:
        yield street
