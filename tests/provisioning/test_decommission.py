"""A unit ends: what is asked before anything is wiped, and that its own footage is what is wiped, wherever it lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.provisioning.provisioner import PROVISIONING

REFUSED = 2
DISK_MB = 24
"""Also the most that a file may hold while a disk is overwritten: it can never be this machine's own that fills."""
MARK = "what only this footage shows. "
BEFORE = {"ref": "NP-1", "reason": "theft", "by": "J. Smith", "made": "x", "from": "x", "to": "x"}
PLACE = """\
import sys
from datetime import UTC, datetime
from pathlib import Path
from agent.footage.keep.holds import Hold, Holds
at = datetime(2026, 11, 29, 2, 10, tzinfo=UTC)
Holds(Path(sys.argv[1])).place(Hold(sys.argv[2], "assault", "J. Smith", at, at, at, ()))
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: mounting a disk needs root")


class Bench:
    """A unit's files below a folder, and the script's functions, which see no other ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "etc/unit.yaml"
        self.footage = folder / "disk/footage"
        self.record = folder / "stick/record.json"
        for made in ("etc", "opt/bin", "state", "disk", "stick", "srv"):
            (folder / made).mkdir(parents=True)
        python = folder / "opt/bin/python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        text = (PROVISIONING / "decommission.sh").read_text(encoding="utf-8")
        assert text.endswith('\nmain "$@"\n')
        self._functions = text.removesuffix('main "$@"\n')
        self.configure()

    def configure(self, unit: str = "hk-1", mount: Path | None = None) -> None:
        """Write the configuration."""
        unit_says = f"  id: {unit}\n  org: ashfield\n  name: Walk\n  location: Central Walk\n"
        where = f"  folder: {self.footage}\n" + (f"  mount: {mount}\n" if mount else "")
        rest = f"state_folder: {self.folder}/state\nfootage:\n{where}"
        self.config.write_text(
            f"profile: safe-point\nunit:\n{unit_says}{rest}uplink:\n  broker: mqtt://127.0.0.1\n  insecure_lab: true\n"
            "hardware:\n  kit: street\n",
            encoding="utf-8",
        )

    def script(self, lines: str) -> str:
        """These lines of bash after the script's functions."""
        here = f"CONFIG={self.config} PREFIX={self.folder}/opt STATE={self.folder}/state FOOTAGE={self.folder}/srv\n"
        options = f'RECORD={self.record} BY="J. Smith" CONFIRM=hk-1\nKEYS=({self.folder}/etc/tls)\n'
        return f"{self._functions}ulimit -f {DISK_MB * 1_000}\n{here}{options}{lines}"

    def look(self, then: str = "") -> subprocess.CompletedProcess[str]:
        """Ask the unit as the script does, then judge."""
        return subprocess.run(
            ["bash", "-c", self.script(f'UNIT=$(look_at_unit)\n{then}\nprintf "%s" "$UNIT"'), "decommission.sh"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(PROVISIONING.parent)},
        )

    def hold(self, ref: str) -> None:
        """Place one as the unit does."""
        self.footage.mkdir(exist_ok=True)
        subprocess.run(
            [sys.executable, "-c", PLACE, self.footage, ref],
            check=True,
            env={**os.environ, "PYTHONPATH": str(PROVISIONING.parent)},
        )

    def begun(self, **other: object) -> None:
        """What a run left that was broken off."""
        looked = json.loads(self.look().stdout) | {"holds": [BEFORE], "board_serial": None} | other
        Path(f"{self.record}.begun").write_text(json.dumps(looked), encoding="utf-8")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_hold_placed_after_a_broken_off_run_is_asked_for_too(bench: Bench) -> None:
    bench.begun(footage_files=7)
    bench.hold("NP-2")
    ended = bench.look("HANDED_OVER=(NP-1); judge_holds")
    assert ended.returncode == REFUSED
    assert "footage is held for 'NP-2'" in ended.stderr
    both = bench.look("HANDED_OVER=(NP-1 NP-2); judge_holds")
    assert both.returncode == 0, both.stderr
    unit = json.loads(both.stdout)
    assert {hold["ref"] for hold in unit["holds"]} == {"NP-1", "NP-2"}
    assert unit["footage_files"] == 7, "what the broken-off run counted before it wiped stays in the record"


def test_a_stick_with_the_begun_record_of_another_unit_wipes_nothing(bench: Bench) -> None:
    bench.begun(unit="hk-2")
    ended = bench.look()
    assert ended.returncode == REFUSED
    assert "was begun for the unit hk-2, and this is hk-1" in ended.stderr
    assert ended.stdout == ""


def test_what_was_begun_stands_alone_only_when_the_configuration_is_gone(bench: Bench) -> None:
    assert "is missing" in Bench.look(_without_configuration(bench)).stderr
    bench.configure()
    bench.begun()
    assert json.loads(Bench.look(_without_configuration(bench)).stdout)["holds"] == [BEFORE]
    bench.configure()
    bench.begun(board_serial="10000000abcdef01")
    other = Bench.look(_without_configuration(bench))
    assert other.returncode == REFUSED
    assert "begun on another board" in other.stderr


def test_a_begun_record_that_cannot_be_read_is_refused_in_a_sentence(bench: Bench) -> None:
    Path(f"{bench.record}.begun").write_text("{", encoding="utf-8")
    ended = bench.look()
    assert ended.returncode == REFUSED
    assert "cannot be read" in ended.stderr
    assert "Traceback" not in ended.stderr


def _without_configuration(bench: Bench) -> Bench:
    bench.config.unlink()
    return bench


@pytest.mark.parametrize("place", ["disk/footage", "disk/footage/closed/1", "state", "opt", "etc", "srv"])
def test_the_record_is_never_put_where_is_wiped(bench: Bench, place: str) -> None:
    (bench.folder / place).mkdir(parents=True, exist_ok=True)
    ended = bench.look(f"RECORD={bench.folder}/{place}/record.json; judge_record")
    assert ended.returncode == REFUSED
    assert "is wiped too" in ended.stderr
    assert bench.look("judge_record").returncode == 0


def test_the_record_is_not_put_on_the_disk_with_the_footage(bench: Bench) -> None:
    bench.configure(mount=bench.folder / "disk")
    ended = bench.look(f"RECORD={bench.folder}/disk/record.json; judge_record")
    assert ended.returncode == REFUSED
    assert "the disk with the footage" in ended.stderr


def test_a_disk_that_is_not_there_is_told_as_not_wiped(bench: Bench) -> None:
    bench.configure(mount=bench.folder / "disk")
    ended = bench.look('OVERWRITE=yes; overwrite_free_space() { say "filled $1"; }; fstrim() { :; }; wipe_footage')
    assert f"NOT DONE: the disk of {bench.folder}/disk is not mounted" in ended.stderr
    assert "footage removed" not in ended.stdout
    assert f"filled {bench.folder}/disk" not in ended.stdout


def test_keys_are_overwritten_where_they_lie_and_not_only_unlinked(bench: Bench) -> None:
    lies = []
    for folder in ("etc/tls", "state/tls"):
        (bench.folder / folder).mkdir(parents=True)
        key, same_blocks = bench.folder / folder / "key.pem", bench.folder / f"{folder.replace('/', '-')}-blocks"
        key.write_text("what nobody may read again")
        same_blocks.hardlink_to(key)  # a second name of the same blocks, which outlives the first
        lies.append(same_blocks)
    ended = bench.look("wipe_keys")
    assert "2 files of keys and certificates overwritten and removed" in ended.stdout, ended.stderr
    assert not (bench.folder / "etc/tls").exists()
    assert not (bench.folder / "state/tls").exists()
    assert [set(path.read_bytes()) - {0} for path in lies] == [set(), set()]


@needs_root
def test_the_unit_s_own_disk_is_emptied_and_overwritten_and_what_others_have_there_stays(bench: Bench) -> None:
    """A real ext4 of 24 MB; what is written is bounded to that size by the kernel, whatever the script does."""
    image, disk = bench.folder / "image", bench.folder / "disk"
    with image.open("wb") as file:
        file.truncate(DISK_MB * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    bench.configure(mount=disk)
    told = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", _ON_A_DISK, str(image), str(disk), MARK],
        input=bench_script(bench),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROVISIONING.parent)},
    )
    assert told.returncode == 0, told.stderr
    assert f"the free space of {disk} overwritten once" in told.stdout
    assert "footage removed: 1 files" in told.stdout
    assert "theirs stays" in told.stdout
    assert MARK.encode() not in image.read_bytes(), "byte by byte"


_ON_A_DISK = """\
import pathlib, subprocess, sys
image, disk, mark = sys.argv[1:]
subprocess.run(["mount", "-o", "loop", image, disk], check=True)
footage = pathlib.Path(disk, "footage")
footage.mkdir()
(footage / "film.ts").write_text(mark * 50_000)
pathlib.Path(disk, "theirs").write_text("theirs stays")
subprocess.run(["sync"], check=True)
assert mark.encode() in pathlib.Path(image).read_bytes(), "the search finds footage that is there"
if subprocess.run(["bash", "-c", sys.stdin.read(), "decommission.sh"], check=False).returncode:
    raise SystemExit("the script failed")
print(pathlib.Path(disk, "theirs").read_text(), list(footage.iterdir()))
subprocess.run(["umount", disk], check=True)
"""


def bench_script(bench: Bench) -> str:
    """The script's functions and the wiping of a disk, where FOOTAGE is on the same disk: no other one is touched."""
    lines = bench.script("UNIT=$(look_at_unit)\nfstrim() { return 1; }\nOVERWRITE=yes\nwipe_footage")
    return lines.replace(f"FOOTAGE={bench.folder}/srv", f"FOOTAGE={bench.folder}/disk/of-provisioning")
