"""The bench on which the devices are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hw.wires import Wires

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def wires() -> Iterator[Wires]:
    board = Wires()
    yield board
    board.tear_down()
