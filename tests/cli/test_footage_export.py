"""`safepoint footage export` puts a clip where an upload finds it: whole, with sums, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli.main import EXIT_INTERRUPTED
from agent.clock import SystemClock
from agent.config.load import load_config
from agent.footage.store.exports import clear_left_over, read_exports
from agent.uplink.media.request import File, UploadRequest
from agent.uplink.media.web.job import Job, Shelf
from tests.cli.recorded import Unit, moment
from tests.footage.film import FPS, clocks

if TYPE_CHECKING:
    from subprocess import Popen

NIGHT = "2026-11-22 02:00:00"
WITHIN = ("--from", "2026-11-22T02:00:01Z", "--to", "2026-11-22T02:00:04Z")
BEFORE = ("--from", "2026-11-20T02:00Z", "--to", "2026-11-20T03:00Z")
LIMIT_S = 90.0
"""Only a failing test waits this long."""
KILLS = int(os.environ.get("EXPORT_KILLS", "3"))
WRITES_FOR_S = 0.4
"""About how long an export of a few seconds takes from its first byte: kills come before its end and after it."""
FILES = ["SHA256SUMS", "clip.json", "clip.mp4", "made.json"]


def folder_of(unit: Unit, name: str) -> Path:
    return unit.footage / "exports" / name


def sums_hold(folder: Path) -> bool:
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=False, capture_output=True
    )
    return checked.returncode == 0


def start(unit: Unit, name: str) -> Popen[str]:
    program = [sys.executable, "-m", "agent.cli.main", "footage", "--config", str(unit.config), "export", name, *WITHIN]
    return subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_until_it_writes(unit: Unit, running: Popen[str]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not list((unit.footage / "exports").glob(".*.part/*")):
        assert running.poll() is None, "it ended before it wrote anything"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stop_in_the_middle(unit: Unit) -> None:
    """A segment that is a pipe: the command waits for it in the middle of the clip."""
    second = sorted(unit.segments.iterdir())[1]
    second.unlink()
    os.mkfifo(second)


def test_the_names_it_tells_are_those_of_whole_files_with_right_sums(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    told: dict[str, Any] = json.loads(unit.says("export", "case-7", *WITHIN, "--json"))
    assert told["files"] == [f"exports/case-7/{name}" for name in ("clip.mp4", "clip.json", "made.json", "SHA256SUMS")]
    folder = folder_of(unit, "case-7")
    assert sorted(file.name for file in folder.iterdir()) == FILES
    assert sums_hold(folder)
    clip = folder / "clip.mp4"
    assert told["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert len(clocks(clip)) == told["frames"] == pytest.approx(3 * FPS, abs=FPS)
    said: dict[str, Any] = json.loads((folder / "clip.json").read_text(encoding="utf-8"))
    assert (said["file"], said["sha256"], said["unit"]) == ("clip.mp4", told["sha256"], "hk-001")
    assert said["clock"][0]["quality"] == "synced"
    assert {"first_frame", "last_frame", "gaps", "missing_s", "clock_steps", "exported"} <= said.keys()


def test_it_is_the_clip_that_footage_clip_makes(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    clip = json.loads(unit.says("clip", *WITHIN, "--out", unit.state / "clip.mp4", "--json"))
    export = json.loads(unit.says("export", "case-7", *WITHIN, "--json"))
    assert {key: export[key] for key in clip if key != "file"} == {key: clip[key] for key in clip if key != "file"}


def test_people_are_told_what_to_name_to_an_upload(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    told = unit.says("export", "case-7", *WITHIN)
    assert told.startswith("exports/case-7: ")
    assert ".part" not in told
    assert "for upload   exports/case-7/clip.mp4\n" in told


def test_a_name_a_time_or_an_export_that_cannot_be_is_one_sentence(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    assert "cannot be an export's name" in unit.refuses("export", "../out", *WITHIN)
    assert "there is no footage between" in unit.refuses("export", "x", *BEFORE)
    unit.says("export", "case-7", *WITHIN)
    before = (folder_of(unit, "case-7") / "clip.mp4").stat()
    assert unit.refuses("export", "case-7", *WITHIN) == "there is already an export case-7: give another name"
    assert (folder_of(unit, "case-7") / "clip.mp4").stat() == before
    assert [each.name for each in (unit.footage / "exports").iterdir()] == ["case-7"]


def test_it_leaves_the_room_that_the_recorder_needs(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    disk = os.statvfs(unit.footage)
    free_mb = disk.f_bavail * disk.f_frsize // 1_000_000
    unit.configure(f"footage: {{reserve_mb: {free_mb + 1000}}}\n")
    told = unit.refuses("export", "case-7", *WITHIN)
    assert "must stay so: export less, lower footage.rolling_max_mb, or write to another disk" in told
    assert not (unit.footage / "exports").exists()


def test_a_disk_that_takes_nothing_is_one_sentence(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    (unit.footage / "exports").write_text("in the way", encoding="utf-8")
    assert unit.refuses("export", "case-7", *WITHIN) == "exports/case-7 cannot be written: Not a directory"


def test_status_tells_what_lies_there_and_what_is_being_sent(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    assert "exports       none\n" in unit.says("status")
    unit.says("export", "case-7", *WITHIN)
    unit.says("export", "case-8", *WITHIN)
    request = UploadRequest("up-1", File(Path("exports/case-8/clip.mp4")), "https://example.org/")
    config = load_config(unit.config, judge_files=False).config
    Shelf(config.state_folder / "media" / "uploads").keep(Job(request, SystemClock().now().wall))
    told = unit.says("status")
    assert "each removed 7 days after it was made" in told
    assert [line.rpartition(", ")[2] for line in told.splitlines() if " case-8: " in line] == ["an upload waits for it"]
    facts = json.loads(unit.says("status", "--json"))
    waits = [(each["name"], each["upload_waits"]) for each in facts["exports"]]
    assert waits == [("case-7", False), ("case-8", True)]
    assert facts["export_bytes"] == sum(each.size_bytes for each in read_exports(unit.footage))


def test_an_export_that_is_killed_leaves_nothing_under_its_name_and_can_be_made_again(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    stop_in_the_middle(unit)
    with start(unit, "case-7") as running:
        try:
            wait_until_it_writes(unit, running)
            running.kill()
            running.communicate(timeout=LIMIT_S)
        finally:
            running.kill()  # nothing to one that has ended
    assert running.returncode == -signal.SIGKILL
    assert [each.name for each in (unit.footage / "exports").iterdir()] == [".case-7.part"]
    assert read_exports(unit.footage) == []
    next(each for each in unit.segments.iterdir() if each.is_fifo()).unlink()
    unit.says("export", "case-7", *WITHIN)
    assert sums_hold(folder_of(unit, "case-7"))
    assert [each.name for each in (unit.footage / "exports").iterdir()] == ["case-7"]


@pytest.mark.timeout(600 + 60 * KILLS)
def test_at_whatever_moment_it_is_killed_the_export_is_whole_or_not_there(unit: Unit) -> None:
    """`EXPORT_KILLS=200 ./dev test tests/cli/test_footage_export.py` kills more often."""
    unit.record(moment(NIGHT), 8)
    chance = random.Random(7)
    whole = 0
    for n in range(KILLS):
        with start(unit, f"case-{n}") as running:
            try:
                while running.poll() is None and not list((unit.footage / "exports").glob(".*.part/*")):
                    time.sleep(0.01)
                running.wait(timeout=chance.uniform(0, WRITES_FOR_S))
            except subprocess.TimeoutExpired:
                running.kill()
            running.wait(timeout=LIMIT_S)
        folder = folder_of(unit, f"case-{n}")
        if folder.exists():
            assert sorted(file.name for file in folder.iterdir()) == FILES
            assert sums_hold(folder)
            whole += 1
        clear_left_over(unit.footage)
        assert len(list((unit.footage / "exports").iterdir())) == whole, "nothing else is left"


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_export_that_is_ended_leaves_nothing_behind(unit: Unit, end: signal.Signals) -> None:
    unit.record(moment(NIGHT), 8)
    stop_in_the_middle(unit)
    with start(unit, "case-7") as running:
        try:
            wait_until_it_writes(unit, running)
            running.send_signal(end)
            _, err = running.communicate(timeout=LIMIT_S)
        finally:
            running.kill()
    assert (running.returncode, err) == (EXIT_INTERRUPTED, "")
    assert not list((unit.footage / "exports").iterdir())
