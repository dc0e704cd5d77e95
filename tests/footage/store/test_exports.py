"""An export is under its name whole or not at all, and never in the place of another one."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from agent.footage.store.exports import (
    ExportExists,
    bytes_on_their_way,
    check_name,
    clear_left_over,
    read_exports,
    writing,
)
from tests.footage.film import START

if TYPE_CHECKING:
    from pathlib import Path


def export(footage: Path, name: str, content: bytes = b"pictures") -> None:
    with writing(footage, name, START) as folder:
        (folder / "clip.mp4").write_bytes(content)


def test_it_says_when_it_was_made_and_sha256sum_finds_it_right(tmp_path: Path) -> None:
    export(tmp_path, "case-7")
    (made,) = read_exports(tmp_path)
    assert (made.name, made.made) == ("case-7", START)
    folder = tmp_path / "exports" / "case-7"
    assert made.size_bytes == sum(file.stat().st_size for file in folder.iterdir())
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert checked.stdout.splitlines() == ["clip.mp4: OK", "made.json: OK"]
    assert {oct(file.stat().st_mode & 0o777) for file in folder.iterdir()} == {"0o640"}


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../out", "case 7", "a" * 129, "-rf", "naïve"])
def test_a_name_that_no_upload_could_say_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be an export's name"):
        check_name(name)
    with pytest.raises(ValueError, match="cannot be an export's name"), writing(tmp_path, name, START):
        pass
    assert not list(tmp_path.iterdir())


def test_an_export_is_never_written_over(tmp_path: Path) -> None:
    export(tmp_path, "case-7", b"first")
    with pytest.raises(ExportExists, match="already an export case-7"):
        export(tmp_path, "case-7", b"second")
    assert (tmp_path / "exports" / "case-7" / "clip.mp4").read_bytes() == b"first"
    (tmp_path / "exports" / "by-hand").mkdir()
    with pytest.raises(ExportExists):
        export(tmp_path, "by-hand")
    assert [each.name for each in (tmp_path / "exports").iterdir() if each.name.startswith(".")] == []


def test_one_that_is_put_there_by_hand_meanwhile_stays(tmp_path: Path) -> None:
    def make_while_somebody_else_does() -> None:
        with writing(tmp_path, "case-7", START) as folder:
            (folder / "clip.mp4").write_bytes(b"pictures")
            (tmp_path / "exports" / "case-7").mkdir()

    with pytest.raises(ExportExists):
        make_while_somebody_else_does()
    assert [each.name for each in (tmp_path / "exports").iterdir()] == ["case-7"]


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with writing(tmp_path, "case-7", START) as folder:
            (folder / "clip.mp4").write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert not list((tmp_path / "exports").iterdir())


def test_two_do_not_write_one_export_and_nobody_clears_it_meanwhile(tmp_path: Path) -> None:
    with writing(tmp_path, "case-7", START) as folder:
        (folder / "clip.mp4").write_bytes(b"pictures")
        with pytest.raises(ExportExists, match="being written just now"):
            export(tmp_path, "case-7")
        assert clear_left_over(tmp_path) == []
        assert bytes_on_their_way(tmp_path) == len(b"pictures")
        assert read_exports(tmp_path) == []
    assert [each.name for each in read_exports(tmp_path)] == ["case-7"]
    assert bytes_on_their_way(tmp_path) == 0


def test_what_a_killed_process_left_is_cleared_and_hinders_no_second_try(tmp_path: Path) -> None:
    for name in (".case-7.part", ".case-8.part", ".case-9.gone"):
        (tmp_path / "exports" / name).mkdir(parents=True)
        (tmp_path / "exports" / name / "half.mp4").write_bytes(b"half")
    export(tmp_path, "case-7")
    assert clear_left_over(tmp_path) == [".case-8.part", ".case-9.gone"]
    assert [each.name for each in (tmp_path / "exports").iterdir()] == ["case-7"]
    sums = (tmp_path / "exports" / "case-7" / "SHA256SUMS").read_text(encoding="utf-8")
    assert "half.mp4" not in sums


def test_what_lies_there_without_a_time_counts_too(tmp_path: Path) -> None:
    (tmp_path / "exports" / "by-hand" / "inner").mkdir(parents=True)
    (tmp_path / "exports" / "by-hand" / "inner" / "a").write_bytes(b"12345")
    (tmp_path / "exports" / "case.zip").write_bytes(b"123")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "original.ts").write_bytes(b"original")
    (tmp_path / "exports" / "link").symlink_to(tmp_path / "kept")
    found = {each.name: each for each in read_exports(tmp_path)}
    assert {name: each.made for name, each in found.items()} == {"by-hand": None, "case.zip": None, "link": None}
    assert (found["by-hand"].size_bytes, found["case.zip"].size_bytes) == (5, 3)
    for each in found.values():
        each.remove()
    assert not list((tmp_path / "exports").iterdir())
    assert (tmp_path / "kept" / "original.ts").read_bytes() == b"original", "a link is removed, never what it leads to"


def test_a_lost_disk_gets_no_exports_on_the_card_below(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        export(tmp_path / "not-mounted", "case-7")
    assert not list(tmp_path.iterdir())


def test_a_time_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    export(tmp_path, "case-7")
    made = tmp_path / "exports" / "case-7" / "made.json"
    made.write_text(json.dumps({"wall": "once"}), encoding="utf-8")
    os.utime(made.parent, (1000, 1000))
    (found,) = read_exports(tmp_path)
    assert (found.made, found.changed_s) == (None, 1000)
