from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.recorded import Unit
from tests.config.desk import Desk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


@pytest.fixture
def unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Unit:
    recorded = Unit(tmp_path, capsys)
    recorded.configure()
    return recorded
