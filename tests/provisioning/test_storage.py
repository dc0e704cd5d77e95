"""Whether a board's card and memory are enough: said before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import call

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

REFUSED = 2


def storage(folder: Path, free_mb: int, before: str = "") -> subprocess.CompletedProcess[str]:
    says = f"df() {{ printf 'Avail\\n%sM\\n' {free_mb}; }}\n"
    return call(folder, f"{says}{before}\njudge_storage")


def test_a_card_with_too_little_room_is_refused(tmp_path: Path) -> None:
    ended = storage(tmp_path, 1499)
    assert ended.returncode == REFUSED
    assert "only 1499 MB are free" in ended.stderr
    assert storage(tmp_path, 1500).returncode == 0


A_DISK = """\
function [ { if test "$1" = -b; then return 0; fi; builtin [ "$@"; }
cat() { if test "${1:-}" = /etc/fstab; then printf '# nothing is mounted yet\\n'; else command cat "$@"; fi; }
awk() { return 1; } # nor does any line name the place
blkid() { case $* in *TYPE*) echo ext4 ;; *) echo 1234-abcd ;; esac; }
findmnt() { echo 1234-abcd; }
mountpoint() { return 0; }
put_folder() { :; }
put_file() { command cat >"$WORK/fstab"; }
mount_volume /dev/sda1
"""


def test_a_disk_for_footage_that_died_does_not_keep_the_unit_from_starting(tmp_path: Path) -> None:
    ended = call(tmp_path, A_DISK)
    assert ended.returncode == 0, ended.stderr
    (line,) = [line.split() for line in (tmp_path / "fstab").read_text().splitlines() if not line.startswith("#")]
    source, place, kind, options = line[:4]
    assert (source, place, kind) == ("UUID=1234-abcd", "/srv/safepoint", "ext4")
    assert {"nofail", "x-systemd.device-timeout=10s"} <= set(options.split(",")), "a start waits 10 s and goes on"
    assert {"nodev", "nosuid", "noexec"} <= set(options.split(",")), "it is data"


def test_a_unit_that_is_installed_needs_no_room_to_install(tmp_path: Path) -> None:
    (tmp_path / "opt/slots/current").mkdir(parents=True)
    assert storage(tmp_path, 3).returncode == 0


def test_a_read_only_card_is_refused_unless_nothing_is_to_be_written(tmp_path: Path) -> None:
    # What "[ -w" asks for /etc: root writes everywhere but on a file system that is read-only.
    read_only = 'function [ { if test "$1" = -w; then return 1; fi; builtin [ "$@"; }'
    ended = storage(tmp_path, 9000, read_only)
    assert ended.returncode == REFUSED
    assert "the card is read-only" in ended.stderr
    assert storage(tmp_path, 9000, f"{read_only}\nDRY_RUN=yes").returncode == 0


@pytest.mark.parametrize(
    ("told_kb", "enough"), [(430_000, False), (921_599, False), (921_600, True), (8_000_000, True)]
)
def test_a_board_with_too_little_memory_is_refused(tmp_path: Path, told_kb: int, *, enough: bool) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: {told_kb} kB\nMemFree: 1 kB\n", encoding="utf-8")
    seen = f'awk() {{ command awk "$1" "{tmp_path}/meminfo"; }}\n'
    ended = call(tmp_path, f"{seen}judge_memory")
    assert (ended.returncode == 0) is enough
    assert enough or "take a larger board" in ended.stderr
