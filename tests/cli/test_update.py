"""`safepoint update`, and `check --start-only` that it asks of a new version: one sentence for what cannot be."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from agent.cli.main import main
from tests.config.desk import LAB, TLS

if TYPE_CHECKING:
    from pathlib import Path


def update(folder: Path) -> int:
    places = {name: str(folder / name) for name in ("slots", "state", "keys", "config", "status", "restart")}
    return main(["update", *(word for name, path in places.items() for word in (f"--{name}", path))])


@pytest.fixture
def provisioned(tmp_path: Path) -> Path:
    for name in ("slots/a", "state/incoming", "keys"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "slots/current").symlink_to("a")
    (tmp_path / "config").write_text(LAB)
    return tmp_path


def test_nothing_to_do_is_no_error(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(provisioned) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("slots/current", "is no link to slot a or b: provision this unit again"),
        ("keys", "this unit has no key to check updates with"),
    ],
)
def test_a_unit_that_is_not_provisioned_for_it_says_what_to_do(
    provisioned: Path, capsys: pytest.CaptureFixture[str], missing: str, sentence: str
) -> None:
    (provisioned / "state/incoming/new.update").write_bytes(b"anything")
    path = provisioned / missing
    path.unlink() if path.is_symlink() else shutil.rmtree(path)
    assert update(provisioned) == 2
    error = capsys.readouterr().err
    assert error.startswith("safepoint: ")
    assert sentence in error
    assert error.count("\n") == 1


def test_root_is_told_that_a_service_does_it(
    provisioned: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: (provisioned / "slots").stat().st_uid + 1)
    assert update(provisioned) == 2
    assert "this is done by a service, systemctl start safepoint-update" in capsys.readouterr().err


def test_whether_the_daemon_would_start_is_asked_without_its_keys(
    provisioned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = provisioned / "config"
    config.write_text(TLS)
    assert main(["check", "--start-only", str(config)]) == 0
    assert capsys.readouterr().out == f"{config}: the daemon would start with this\n"
    assert main(["check", str(config)]) == 2
    config.write_text(LAB + "lampe: 1\n")
    assert main(["check", "--start-only", str(config)]) == 2
