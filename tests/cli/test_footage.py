"""`safepoint footage status, list, still, hold, release`: what there is, and who keeps what of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from agent.cli.main import main
from agent.clock import ClockQuality, Moment, SystemClock
from agent.footage.keep.holds import Holds
from agent.footage.store.incident_files import incident_shown
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentName
from agent.helpers.messages import Working
from fakes.scene import StreetScene
from tests.cli.recorded import FIRST, SECOND, Unit, moment
from tests.footage.daemon_end import running_recorder
from tests.footage.film import FPS, FRAME_S

if TYPE_CHECKING:
    from pathlib import Path

NIGHT = "2026-11-22 02:00:00"
DAWN = "2026-11-22 06:00:00"


def listed(unit: Unit, *more: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(unit.says("list", "--json", *more))["runs"]
    return runs


def status(unit: Unit) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(unit.says("status", "--json"))
    return facts


def hold(unit: Unit, since: str, until: str, ref: str = "CAD 1") -> str:
    interval = ("--from", f"2026-11-22 {since}", "--to", f"2026-11-22 {until}")
    return unit.says("hold", *interval, "--ref", ref, "--reason", "robbery", "--by", "PC 7")


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_list_names_unbroken_runs_and_what_lies_between_them(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    unit.record(moment("2026-11-22 02:00:14", FIRST, 5004), 4)
    unit.record(moment(DAWN, SECOND, 20, "unsynced"), 4)
    size = sum(path.stat().st_size for path in sorted(unit.segments.iterdir())[:2])
    lines = unit.says("list").splitlines()
    assert lines[0] == (
        f"2026-11-22 02:00:00.000+00:00 to 2026-11-22 02:00:04.000+00:00  4 s, {size / 1000:.1f} kB, rolling, "
        "clock synchronised"
    )
    assert lines[1] == "  the clock was set forward by 10 s: it became 2026-11-22 02:00:14.000+00:00"
    assert lines[3] == (
        "  missing from 2026-11-22 02:00:18.000+00:00 to 2026-11-22 06:00:00.000+00:00 "
        "(3 h 59 min 42 s, the unit started anew)"
    )
    assert lines[4].endswith("clock NOT synchronised: these times may be wrong")
    assert len(lines) == 5


def test_a_list_can_be_of_an_interval_only(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    unit.record(moment(DAWN, SECOND, 20), 4)
    (run,) = listed(unit, "--from", "2026-11-22 05:00")
    assert (run["from"], run["to"]) == ("2026-11-22T06:00:00.000Z", "2026-11-22T06:00:04.000Z")
    (run,) = listed(unit, "--to", "2026-11-22 02:00:01")
    assert (run["from"], run["to"], run["length_s"]) == ("2026-11-22T02:00:00.000Z", "2026-11-22T02:00:02.000Z", 2)
    refused = unit.refuses("list", "--from", "2026-11-22 03:00", "--to", "2026-11-22 04:00")
    assert "there is no footage between" in refused
    assert "is after --to" in unit.refuses("list", "--from", "2026-11-22 04:00", "--to", "2026-11-22 03:00")


def test_a_list_tells_held_from_incident_from_rolling_footage(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 10)
    incident_shown(unit.footage, "01ALERT", moment(NIGHT, FIRST, 5003), moment(NIGHT, FIRST, 5005))
    hold(unit, "02:00:05", "02:00:07")
    assert [(run["class"], run["length_s"]) for run in listed(unit)] == [
        ("rolling", 2),
        ("incident", 2),
        ("held", 4),
        ("rolling", 2),
    ]
    sizes = [path.stat().st_size for path in sorted(unit.segments.iterdir())]
    facts = status(unit)
    assert facts["held_bytes"] == sum(sizes[2:4]) + (unit.footage / "incidents/01ALERT/stretch.json").stat().st_size
    assert (facts["incident_bytes"], facts["rolling_bytes"]) == (sizes[1], sizes[0] + sizes[4])


def test_looking_changes_nothing_that_the_recorder_wrote(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    newest = max(unit.segments.iterdir())
    newest.write_bytes(newest.read_bytes()[:-40_000])
    (unit.segments / "stray.ts").write_text("not ours")
    before = files(unit.segments) | {unit.footage / "index.sqlite": (unit.footage / "index.sqlite").read_bytes()}
    unit.says("list")
    unit.says("status")
    unit.says("still", "--at", "2026-11-22 02:00:01", "--out", unit.state / "still.jpg")
    assert {path: path.read_bytes() for path in before} == before


def test_the_list_says_when_the_recorders_table_could_not_be_used(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    (unit.footage / "index.sqlite").write_bytes(b"broken" * 1000)
    first, run = unit.says("list").splitlines()
    assert first.startswith("the recorder's table cannot be used (file is not a database): gaps within segments")
    assert "02:00:00.000+00:00 to 2026-11-22 02:00:04.000+00:00  4 s" in run
    assert "file is not a database" in unit.says("status")


def test_the_status_knows_whether_frames_reach_the_disk_now(unit: Unit) -> None:
    with running_recorder(unit.state, StreetScene()) as daemon:
        daemon.hears(Working, lambda event: event.done >= 2 * FPS)
        assert status(unit)["recording"] is True
        assert "recording     yes, the newest frame is " in unit.says("status")
    now = SystemClock().now()
    # The newest frame is shown until the next one: it ends up to one frame's time after it came.
    assert datetime.fromisoformat(status(unit)["newest"]) <= now.wall + timedelta(seconds=1 / FPS)


def test_a_recorder_that_stopped_is_seen_by_the_age_of_its_newest_frame(unit: Unit) -> None:
    now = SystemClock().now()
    unit.record(now.later(-60), 2)
    facts = status(unit)
    assert facts["recording"] is False
    assert 57 < facts["newest_frame_age_s"] < 57 + 120
    assert "recording     NO: the newest frame is " in unit.says("status")


def test_footage_of_an_earlier_boot_is_not_taken_for_recording(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, time.monotonic() - 2), 2)
    assert "recording     NO: no frame since the unit was started\n" in unit.says("status")
    unit.configure("camera: {enabled: false}\n")
    assert "recording     NO: the camera is off in the configuration\n" in unit.says("status")


def test_the_status_tells_how_far_back_footage_goes_and_will_go(unit: Unit) -> None:
    unit.configure("footage: {rolling_max_mb: 2000, reserve_mb: 50}\n")
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    facts = status(unit)
    assert (facts["oldest"], facts["newest"]) == ("2026-11-22T02:00:00.000Z", "2026-11-22T02:00:04.000Z")
    a_day = sum(path.stat().st_size for path in unit.segments.iterdir()) / 4 * 86_400
    assert facts["bytes_per_day"] == pytest.approx(a_day, rel=0.001)
    assert facts["rolling_max_bytes"] == 2_000_000_000
    assert facts["days_kept"] <= round(2e9 / a_day, 2)
    lines = unit.says("status").splitlines()
    assert lines[1:3] == [
        "oldest        2026-11-22 02:00:00.000+00:00",
        "newest        2026-11-22 02:00:04.000+00:00",
    ]
    assert any(" days at " in line and line.startswith("will be kept") for line in lines)


def test_a_unit_that_has_recorded_nothing_yet_says_so(unit: Unit) -> None:
    unit.segments.mkdir(parents=True)
    told = unit.says("status")
    assert "oldest        no footage" in told
    assert "will be kept  nobody knows yet" in told
    assert "there is none before, and there is none after it" in unit.refuses("list")


@pytest.mark.parametrize(
    ("at", "shown_s"), [("02:00:01.030", 1.0), ("02:00:01.040", 1 + FRAME_S), ("02:00:05", 59 * FRAME_S)]
)
def test_a_still_is_the_nearest_picture_in_full_size_and_says_which_moment_it_shows(
    unit: Unit, at: str, shown_s: float
) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    out = unit.state / "still.jpg"
    told = unit.says("still", "--at", f"2026-11-22 {at}", "--out", out)
    with Image.open(out) as image:
        assert image.size == (320, 180)
    assert f"shows   2026-11-22 02:00:0{int(shown_s * 1000) / 1000:.3f}+00:00 (" in told
    assert "clock   synchronised" in told


def test_a_still_across_a_setting_of_the_clock_is_of_the_clock_as_it_was_then(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    unit.record(moment("2026-11-22 02:00:12", FIRST, 5002), 2)
    for at in ("02:00:01.000", "02:00:12.000"):
        out = unit.state / f"{at}.jpg"
        assert f"shows   2026-11-22 {at}+00:00\n" in unit.says("still", "--at", f"2026-11-22 {at}", "--out", out)


def test_a_moment_without_a_picture_is_one_sentence_and_no_file(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    out = unit.state / "still.jpg"
    assert unit.refuses("still", "--at", "2026-11-22 03:00", "--out", out) == (
        "there is no footage at 2026-11-22 03:00:00.000+00:00: the nearest before it ends at "
        "2026-11-22 02:00:04.000+00:00, and there is none after it"
    )
    assert not out.exists()


def test_a_hold_is_what_clocks_cannot_change_and_tells_what_is_missing_already(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    unit.record(moment(DAWN, SECOND, 20), 4)
    dark = "2026-11-22 02:00:04.000+00:00 to 2026-11-22 06:00:00.000+00:00"
    assert hold(unit, "02:00:03", "06:00:01", "CAD 1/22NOV").splitlines() == [
        "held as 'CAD 1/22NOV' by PC 7: 2026-11-22 02:00:03.000+00:00 to 2026-11-22 06:00:01.000+00:00",
        f"missing from {dark} (3 h 59 min 56 s, the unit started anew)",
        "to let it go: safepoint footage release --ref 'CAD 1/22NOV' --reason TEXT",
    ]
    (placed,) = Holds(unit.footage).all()
    assert (placed.ref, placed.reason, placed.by) == ("CAD 1/22NOV", "robbery", "PC 7")
    assert [(each.boot, each.start_s) for each in placed.stretches] == [
        ("aaaaaaaa", 5003),
        ("bbbbbbbb", 20 - 14_397),
    ]
    assert placed.stretches[1].end_s == pytest.approx(21)
    assert "'CAD 1/22NOV': 2026-11-22 02:00:03" in unit.says("status")


def test_a_hold_reaches_into_the_segment_that_is_being_written(unit: Unit) -> None:
    with running_recorder(unit.state, StreetScene()) as daemon:
        daemon.hears(Working, lambda event: event.done >= 3 * FPS)
        unit.says("hold", "--from", "-2s", "--to", "now", "--ref", "A", "--reason", "help call")
    (placed,) = Holds(unit.footage).all()
    (stretch,) = placed.stretches
    assert stretch.end_s - stretch.start_s == pytest.approx(2, abs=0.01)
    index = FootageIndex(unit.footage / "index.sqlite", unit.segments)
    assert any(stretch.touches(segment.name, segment.end_s) for segment in index.segments())
    index.close()


def test_a_hold_that_cannot_be_is_one_sentence_and_holds_nothing(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    reason = ("--reason", "robbery")
    nothing = ("hold", "--from", "2026-11-22 03:00", "--to", "2026-11-22 03:01", "--ref", "B", *reason)
    assert "there is no footage between" in unit.refuses(*nothing)
    some = ("hold", "--from", "2026-11-22 02:00", "--to", "2026-11-22 02:00:01")
    assert unit.refuses(*some, "--ref", "x" * 65, *reason) == (
        "nothing was held: a hold's reference has 1 to 64 characters, not 65"
    )
    assert Holds(unit.footage).all() == []
    hold(unit, "02:00:00", "02:00:01", "A")
    assert unit.refuses(*some, "--ref", "A", *reason) == (
        "--ref 'A' is in use: take another, or release that one first (safepoint footage status)"
    )
    assert len(Holds(unit.footage).all()) == 1


def test_footage_that_is_removed_while_a_hold_is_placed_is_told_as_missing(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder has the last turn before ours, after we looked."""
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    deciding = Holds.deciding

    def after_one_more_removal(holds: Holds) -> object:
        min(unit.segments.iterdir()).unlink()
        monkeypatch.setattr(Holds, "deciding", deciding)
        return deciding(holds)

    monkeypatch.setattr(Holds, "deciding", after_one_more_removal)
    told = hold(unit, "02:00:01", "02:00:03")
    assert "missing from 2026-11-22 02:00:01.000+00:00 to 2026-11-22 02:00:02.000+00:00 (1 s)" in told
    monkeypatch.setattr(Holds, "deciding", after_one_more_removal)
    refused = unit.refuses(
        *("hold", "--from", "2026-11-22 02:00:01", "--to", "2026-11-22 02:00:03"), *("--ref", "B", "--reason", "x")
    )
    assert "there is no footage between" in refused
    assert [placed.ref for placed in Holds(unit.footage).all()] == ["CAD 1"]


def test_holds_that_cannot_be_read_are_told_and_count_as_held_all(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    hold(unit, "02:00:00", "02:00:01")
    next((unit.footage / "holds").glob("*.json")).write_text("{")
    assert "DAMAGED, so nothing is removed until this is repaired" in unit.says("status")
    assert [run["class"] for run in listed(unit)] == ["held"]


def test_nothing_is_read_or_held_where_the_footage_volume_is_not_mounted(unit: Unit) -> None:
    """What lies below the mount point is the system's card."""
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    unit.configure(f"footage: {{folder: {unit.footage}, mount: {unit.state}}}\n")
    told = f"the footage volume is missing: nothing is mounted on {unit.state}"
    interval = ("--from", "2026-11-22 02:00", "--to", "2026-11-22 02:00:01")
    assert unit.refuses("status") == told
    assert unit.refuses("hold", *interval, "--ref", "A", "--reason", "x") == told
    assert unit.refuses("release", "--ref", "A", "--reason", "x") == told
    assert not (unit.footage / "holds").exists()


def test_a_released_hold_keeps_its_record(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    hold(unit, "02:00:00", "02:00:01")
    told = unit.says("release", "--ref", "CAD 1", "--reason", "case closed", "--by", "PC 8")
    assert told.startswith("released 'CAD 1' by PC 8; it was held by PC 7 since ")
    assert Holds(unit.footage).all() == []
    (record,) = (unit.footage / "holds" / "released").iterdir()
    assert json.loads(record.read_bytes())["reason"] == "case closed"
    assert [run["class"] for run in listed(unit)] == ["rolling"]


def test_a_release_of_what_is_not_held_names_what_is(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    gone = ("release", "--ref", "CAD 2", "--reason", "closed")
    assert unit.refuses(*gone) == "there is no hold with the reference 'CAD 2'; there are: none"
    hold(unit, "02:00:00", "02:00:01")
    assert unit.refuses(*gone) == "there is no hold with the reference 'CAD 2'; there are: 'CAD 1'"


def test_whoever_is_logged_in_holds_even_through_sudo(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    monkeypatch.setenv("SUDO_USER", "anna")
    unit.says("hold", "--from", "2026-11-22 02:00", "--to", "2026-11-22 02:00:01", "--ref", "A", "--reason", "x")
    (placed,) = Holds(unit.footage).all()
    assert placed.by == "anna"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that others could not use")
def test_what_root_makes_belongs_to_the_owner_of_the_footage(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    for path in (unit.footage, *unit.footage.rglob("*")):
        os.chown(path, 4321, 4321)
    unit.says("list")
    hold(unit, "02:00:00", "02:00:01")
    unit.says("release", "--ref", "CAD 1", "--reason", "closed")
    hold(unit, "02:00:00", "02:00:01")
    assert {path: path.stat().st_uid for path in unit.footage.rglob("*") if path.stat().st_uid != 4321} == {}


def test_a_reader_that_goes_away_is_no_traceback(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "agent.cli.main", "footage", "--config", str(unit.config), "list"]
    done = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_month_with_power_cuts_and_a_lost_table_is_listed_run_by_run(unit: Unit) -> None:
    """Names alone are enough: no segment of these has a byte in it but the last of each boot."""
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    (sample,) = unit.segments.iterdir()
    (unit.footage / "index.sqlite").unlink()
    assert sample.name.startswith("20261122T020000.000Z-aaaaaaaa-000005000000")
    start = Moment(5002.0, datetime(2026, 11, 22, 2, 0, 2, tzinfo=UTC), FIRST, ClockQuality.SYNCED)
    for n in range(50):
        (unit.segments / str(SegmentName.of(start.later(10 * n), FPS))).write_bytes(b"x")
    (run,) = listed(unit)
    assert run["length_s"] == pytest.approx(2 + 49 * 10, abs=0.01), "the last one holds no frame"


def test_the_configuration_is_asked_for_where_units_keep_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["footage", "--help"])
    assert "/etc/safepoint/unit.yaml" in capsys.readouterr().out


def test_the_configuration_can_be_named_behind_the_subcommand_too(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    assert main(["footage", "list", "--config", str(unit.config)]) == 0
    assert "02:00:00.000" in unit.screen.readouterr().out
