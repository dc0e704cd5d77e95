"""A private key is for its owner alone, or for the service that systemd gave it to."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from agent.uplink.key_file import is_exposed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_its_owner_may_read_it(tmp_path: Path, mode: int) -> None:
    assert not is_exposed(tmp_path / "key.pem", stat.S_IFREG | mode)


@pytest.mark.parametrize("mode", [0o640, 0o440, 0o604, 0o660])
def test_nobody_else_may(tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert is_exposed(tmp_path / "key.pem", stat.S_IFREG | mode)


@pytest.mark.parametrize(("mode", "exposed"), [(0o440, False), (0o400, False), (0o640, True), (0o444, True)])
def test_a_credential_of_systemd_may_be_shown_as_0440(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, mode: int, exposed: bool
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "creds"))
    assert is_exposed(tmp_path / "creds/key.pem", stat.S_IFREG | mode) is exposed


def test_a_file_that_only_claims_to_lie_there_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "creds"))
    assert is_exposed(tmp_path / "creds/../key.pem", stat.S_IFREG | 0o440)
    (tmp_path / "creds").mkdir()
    (tmp_path / "creds/key.pem").symlink_to(tmp_path / "key.pem")
    assert is_exposed(tmp_path / "creds/key.pem", stat.S_IFREG | 0o440)
