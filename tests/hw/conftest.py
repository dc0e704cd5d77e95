"""The bench on which the devices are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hw.virtual_camera import Sensor, stack_on
from tests.hw.wires import Wires

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def wires() -> Iterator[Wires]:
    board = Wires()
    yield board
    board.tear_down()


@pytest.fixture(scope="session")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures lie that the real camera stack sees."""
    return tmp_path_factory.mktemp("view")


@pytest.fixture
def sensor(view: Path) -> Iterator[Sensor]:
    """Before the real camera stack; skips, with what to do, where that is not built."""
    with stack_on(view) as sensor:
        yield sensor
