from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provisioning.authority.pilot import Pilot, Template

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("pilot"))


@pytest.fixture
def pilot(template: Template, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pilot:
    """A pilot whose office works."""
    return template.copied(tmp_path / "pilot", capsys)
