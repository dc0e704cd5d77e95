from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.cli.recorded import Unit
from tests.config.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


@pytest.fixture(autouse=True)
def the_log_of_a_command_ends_with_it() -> Iterator[None]:
    """A command that sets up the log sends it to a stream that pytest closes behind the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Unit:
    recorded = Unit(tmp_path, capsys)
    recorded.configure()
    return recorded


@pytest.fixture
def heard() -> Iterator[None]:
    """Commands are started so that they hear signals, also when these tests run in the background, where ^C is not."""
    ends = (signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(end, signal.default_int_handler) for end in ends]
    yield
    for end, handler in zip(ends, before, strict=True):
        signal.signal(end, handler)
