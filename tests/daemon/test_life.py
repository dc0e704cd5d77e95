"""A unit knows which installation it is and how often it began, whatever its disk does to it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from agent import life as life_module
from agent.life import FILE_NAME, Life, begin_life
from tests.uplink.lab import LabClock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOW = LabClock().now()


async def begin(folder: Path, serial: Path | None = None) -> Life:
    return await begin_life(folder, NOW, serial=serial or folder / "no-serial")


async def test_each_start_is_counted_and_the_installation_stays(tmp_path: Path) -> None:
    lives = [await begin(tmp_path / "state") for _ in range(3)]
    assert [life.number for life in lives] == [1, 2, 3]
    assert len({life.installation for life in lives}) == 1
    other = await begin(tmp_path / "other")
    assert other.number == 1
    assert other.installation not in {None, lives[0].installation}


async def test_a_damaged_count_is_a_new_installation(tmp_path: Path) -> None:
    first = await begin(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b'{"installation": "01')
    second = await begin(tmp_path)
    assert second.number == 1
    assert second.installation != first.installation


async def test_a_power_cut_while_it_is_counted_leaves_the_count_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await begin(tmp_path)

    def cut(*_: object) -> None:
        raise OSError(5, "the power is gone")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", cut)
        uncounted = await begin(tmp_path)
    assert (uncounted.installation, uncounted.number) == (first.installation, None)
    assert json.loads((tmp_path / FILE_NAME).read_bytes())["starts"] == 1


async def test_a_disk_that_hangs_delays_the_start_by_three_seconds_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / FILE_NAME)  # reading it waits for a writer
    monkeypatch.setattr(life_module, "KNOWN_WITHIN_S", 0.05)
    life = await begin(tmp_path)
    assert (life.installation, life.number, life.boot_id) == (None, None, "boot-1")
    fd = os.open(tmp_path / FILE_NAME, os.O_WRONLY)  # let the thread go
    os.close(fd)


async def test_no_folder_at_all_is_a_life_that_nobody_counts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    life = await begin(tmp_path / "file" / "state")
    assert (life.installation, life.number) == (None, None)


async def test_a_board_shows_a_fingerprint_and_not_its_number(tmp_path: Path) -> None:
    serial = tmp_path / "serial-number"
    serial.write_bytes(b"10000000deadbeef\0")
    board = (await begin(tmp_path, serial)).board
    assert board is not None
    assert "deadbeef" not in board
    serial.write_bytes(b"10000000deadbee0\0")
    assert (await begin(tmp_path, serial)).board != board
    assert (await begin(tmp_path)).board is None
