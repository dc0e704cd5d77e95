"""`safepoint footage clip` copies what there is, says what is missing, and never harms another file or the recorder."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import av
import pytest

from agent.cli.main import EXIT_INTERRUPTED
from agent.footage.show.clips import TICKS_A_SECOND
from agent.helpers.messages import Trouble, Working
from fakes.scene import StreetScene
from tests.cli.recorded import FIRST, SECOND, THIRD, Unit, moment
from tests.footage.daemon_end import running_recorder
from tests.footage.film import FPS, FRAME_S, SETTINGS, clocks

if TYPE_CHECKING:
    from pathlib import Path

NIGHT = "2026-11-22 02:00:00"
LIMIT_S = 90.0
"""Only a failing test waits this long."""


def clip(unit: Unit, since: str, until: str, *more: str) -> dict[str, Any]:
    told = unit.says("clip", "--from", since, "--to", until, "--out", unit.state / "clip.mp4", "--json", *more)
    facts: dict[str, Any] = json.loads(told)
    return facts


def shown_s(unit: Unit) -> list[float]:
    """The moments that the pictures of the clip tell, CLOCK_MONOTONIC."""
    return [clock.taken_ms / 1000 for clock in clocks(unit.state / "clip.mp4")]


def film_s(start_s: float, count: int) -> list[float]:
    """The moments of so many frames, one after the other."""
    return [start_s + n * FRAME_S for n in range(count)]


def near(moments: list[float]) -> object:
    """These moments, which pictures tell to the millisecond."""
    return pytest.approx(moments, abs=0.0011)


def frame_times(path: Path) -> list[float]:
    """When each picture of a clip is shown, from its beginning."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            float(packet.pts * packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None
        ]


def test_a_clip_holds_every_frame_from_the_key_frame_before_its_start_to_its_end(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    facts = clip(unit, "2026-11-22 02:00:01.500", "2026-11-22 02:00:05Z")
    assert shown_s(unit) == near(film_s(5001, 4 * FPS + 1))
    assert facts["first_frame"] == "2026-11-22T02:00:01.000Z"
    assert facts["last_frame"] == "2026-11-22T02:00:05.000Z"
    assert (facts["frames"], facts["gaps"], facts["missing_s"]) == (4 * FPS + 1, [], 0)
    assert facts["sha256"] == hashlib.sha256((unit.state / "clip.mp4").read_bytes()).hexdigest()


def test_people_read_local_times_with_their_offset_what_is_missing_and_how_far_to_trust_the_clock(unit: Unit) -> None:
    unit.record(moment("2026-07-14 16:00:00"), 4)
    out = unit.state / "clip.mp4"
    told = unit.says("clip", "--from", "2026-07-14 17:00:01", "--to", "2026-07-14 17:00:10", "--out", out)
    sha256 = hashlib.sha256(out.read_bytes()).hexdigest()
    assert told.splitlines() == [
        f"{out}: 2.933 s, {out.stat().st_size / 1000:.1f} kB",
        "first frame  2026-07-14 17:00:01.000+01:00",
        "last frame   2026-07-14 17:00:03.933+01:00",
        "frames       45",
        "missing      6.067 s in 1 gap",
        "             missing from 2026-07-14 17:00:03.933+01:00 to 2026-07-14 17:00:10.000+01:00 (6.067 s)",
        "clock        synchronised",
        f"sha256       {sha256}",
    ]


def test_a_power_cut_is_one_clip_in_which_the_dark_lasts_as_long_as_it_did(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    unit.record(moment("2026-11-22 02:01:30", SECOND, 12), 4)
    facts = clip(unit, "2026-11-22 02:00:02", "2026-11-22 02:01:32")
    assert shown_s(unit) == near(film_s(5002, 2 * FPS) + film_s(12, 2 * FPS + 1))
    times = frame_times(unit.state / "clip.mp4")
    assert times[2 * FPS] == pytest.approx(88, abs=0.003)
    assert times[-1] == pytest.approx(90, abs=0.003)
    assert facts["gaps"] == [
        {"from": "2026-11-22T02:00:03.933Z", "to": "2026-11-22T02:01:30.000Z", "length_s": 86.067, "power_cut": True}
    ]


def test_a_gap_of_nine_hours_stands_for_nine_hours(unit: Unit) -> None:
    """FFmpeg's muxer makes one tick of any gap over 2^31 ticks, which are 6.6 h at the 90 kHz of segments."""
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    unit.record(moment("2026-11-22 11:00:00", FIRST, 5000 + 9 * 3600), 2)
    facts = clip(unit, "2026-11-22 02:00:00", "2026-11-22 11:00:02")
    assert frame_times(unit.state / "clip.mp4")[2 * FPS] == pytest.approx(9 * 3600, abs=0.003)
    assert facts["missing_s"] == pytest.approx(9 * 3600 - 2, abs=0.1)
    assert (1 << 31) / TICKS_A_SECOND > 24 * 3600, "the longest clip there is"


def test_a_clock_that_was_wrong_at_first_is_looked_up_by_the_corrected_time_and_that_is_said(unit: Unit) -> None:
    unit.record(moment("2020-01-01 00:00:00", FIRST, 20, "unsynced"), 4)
    unit.record(moment("2026-11-22 02:00:04", FIRST, 24), 4)
    facts = clip(unit, "2026-11-22 02:00:02", "2026-11-22 02:00:06")
    assert shown_s(unit) == near(film_s(22, 4 * FPS + 1))
    assert facts["gaps"] == []
    wrong, right = facts["clock"]
    assert (wrong["quality"], right["quality"]) == ("unsynced", "synced")
    assert wrong["correction_s"] == 2517 * 86_400 + 7_200
    assert facts["clock_steps"] == [{"at": "2026-11-22T02:00:04.000Z", "by_s": wrong["correction_s"]}]
    told = unit.says(
        *("clip", "--from", "2026-11-22 02:00:02", "--to", "2026-11-22 02:00:06"),
        *("--out", unit.state / "again.mp4"),
    )
    assert "not synchronised then, corrected by +2517 d 2 h " in told
    assert "the clock was set forward by 2517 d 2 h" in told


def test_a_clock_that_was_set_within_the_interval_is_said_and_costs_no_frame(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 4)
    unit.record(moment("2026-11-22 02:00:14", FIRST, 5004), 4)
    facts = clip(unit, "2026-11-22 02:00:02", "2026-11-22 02:00:16")
    assert shown_s(unit) == near(film_s(5002, 4 * FPS + 1))
    assert facts["last_frame"] == "2026-11-22T02:00:16.000Z"
    assert facts["gaps"] == []
    assert facts["clock_steps"] == [{"at": "2026-11-22T02:00:14.000Z", "by_s": 10.0}]


def test_the_hour_that_comes_twice_is_asked_for_in_utc_and_shown_with_both_offsets(unit: Unit) -> None:
    unit.record(moment("2026-10-25 00:59:58"), 4)
    out = unit.state / "clip.mp4"
    refused = unit.refuses("clip", "--from", "2026-10-25 01:59:58", "--to", "now", "--out", out)
    assert "came twice, since the clocks went back" in refused
    assert "2026-10-25T00:59:58Z" in refused
    told = unit.says("clip", "--from", "2026-10-25T00:59:59Z", "--to", "2026-10-25T01:00:01Z", "--out", out)
    assert "first frame  2026-10-25 01:59:59.000+01:00\nlast frame   2026-10-25 01:00:01.000+00:00\n" in told
    assert "missing      nothing" in told


def test_the_hour_that_never_comes_is_refused_and_costs_nothing_around_it(unit: Unit) -> None:
    unit.record(moment("2026-03-29 00:59:58"), 4)
    out = unit.state / "clip.mp4"
    refused = unit.refuses("clip", "--from", "2026-03-29 01:00:01", "--to", "now", "--out", out)
    assert "came never, since the clocks went forward" in refused
    told = unit.says("clip", "--from", "2026-03-29 00:59:59", "--to", "2026-03-29 02:00:01", "--out", out)
    assert "first frame  2026-03-29 00:59:59.000+00:00\nlast frame   2026-03-29 02:00:01.000+01:00\n" in told
    assert "missing      nothing" in told


def test_segments_that_are_removed_while_they_are_read_become_a_gap(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder makes room at that very moment: after we looked, before we read."""
    unit.record(moment(NIGHT), 6)
    look = os.listdir

    def remove_one_after(folder: str | os.PathLike[str]) -> list[str]:
        names = sorted(look(folder))
        (unit.segments / names[1]).unlink(missing_ok=True)
        return names

    monkeypatch.setattr("agent.footage.store.library.os.listdir", remove_one_after)
    facts = clip(unit, "2026-11-22 02:00:00", "2026-11-22 02:00:05")
    assert shown_s(unit) == near(film_s(5000, 2 * FPS) + film_s(5004, FPS + 1))
    assert facts["missing_s"] == pytest.approx(2 + FRAME_S, abs=0.002)


@pytest.mark.parametrize("harm", ["missing", "broken", "locked"])
def test_without_the_recorders_table_the_files_tell_the_same(unit: Unit, harm: str) -> None:
    unit.record(moment(NIGHT), 6)
    table = unit.footage / "index.sqlite"
    lock = None
    if harm == "missing":
        table.unlink()
    elif harm == "broken":
        table.write_bytes(b"SQLite format 3\0" + os.urandom(4096))
    else:
        lock = sqlite3.connect(table)
        lock.execute("PRAGMA locking_mode = EXCLUSIVE")
        lock.execute("BEGIN EXCLUSIVE")
    facts = clip(unit, "2026-11-22 02:00:01", "2026-11-22 02:00:05.5")
    if lock is not None:
        lock.close()
    assert shown_s(unit) == near(film_s(5001, 69))
    assert facts["gaps"] == []


def test_a_clip_is_cut_out_of_what_a_recorder_is_writing_and_does_not_disturb_it(unit: Unit) -> None:
    out = unit.state / "clip.mp4"
    with running_recorder(unit.state, StreetScene(person=True)) as daemon:
        daemon.hears(Working, lambda event: event.done >= 4 * FPS)
        facts = clip(unit, "-3s", "now")
        daemon.hears(Working, lambda event: event.done >= 6 * FPS)
        assert not any(isinstance(event, Trouble) for event in daemon.heard)
    numbers = [each.number for each in clocks(out)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert len(numbers) == facts["frames"] >= 2 * FPS
    assert facts["missing_s"] < 2, "what was taken since the last write, however busy the machine is"


def test_ffmpeg_and_browsers_find_a_faststart_file_with_one_description(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    unit.record(moment("2026-11-22 02:00:05", SECOND, 12), 2)
    clip(unit, "2026-11-22 02:00:00", "2026-11-22 02:00:07")
    data = (unit.state / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert data.count(b"avcC") == 1
    strict = ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i"]
    played = subprocess.run(
        [*strict, str(unit.state / "clip.mp4"), "-fps_mode", "passthrough", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (played.returncode, played.stderr) == (0, "")


def test_a_picture_that_changes_its_size_is_said_because_not_all_players_show_what_follows(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    unit.record(moment("2026-11-22 02:00:02", FIRST, 5002), 2, SETTINGS.model_copy(update={"width_px": 640}))
    facts = clip(unit, "2026-11-22 02:00:00", "2026-11-22 02:00:04")
    assert facts["size_changes"] == [{"at": "2026-11-22T02:00:02.000Z", "width_px": 640, "height_px": 180}]
    with av.open(str(unit.state / "clip.mp4")) as container:
        widths = [picture.width for picture in container.decode(video=0)]
    assert widths == [320] * 2 * FPS + [640] * 2 * FPS
    told = unit.says(
        *("clip", "--from", "2026-11-22 02:00:01", "--to", "2026-11-22 02:00:03"),
        *("--out", unit.state / "again.mp4"),
    )
    assert "picture      becomes 640x180 at 2026-11-22 02:00:02.000+00:00: not all players go on there" in told


def test_a_damaged_frame_costs_no_other_frame_of_the_clip(unit: Unit) -> None:
    """Bytes on a worn card: the frames around them are evidence all the same."""
    unit.record(moment(NIGHT), 6)
    worn = sorted(unit.segments.iterdir())[1]
    data = bytearray(worn.read_bytes())
    data[188 * 5 + 20 : 188 * 5 + 60] = bytes(40)
    worn.write_bytes(data)
    facts = clip(unit, "2026-11-22 02:00:00", "2026-11-22 02:00:05")
    assert facts["frames"] == 5 * FPS + 1
    worn.write_bytes(bytes(len(data)))
    facts = clip(unit, "2026-11-22 02:00:00", "2026-11-22 02:00:05", "--force")
    assert (facts["frames"], len(facts["gaps"])) == (3 * FPS + 1, 1)


def test_an_interval_without_footage_names_the_nearest_and_leaves_no_file(unit: Unit) -> None:
    unit.record(moment(NIGHT, FIRST, 5000), 2)
    unit.record(moment("2026-11-22 03:00:00", SECOND, 12), 2)
    out = unit.state / "clip.mp4"
    assert unit.refuses("clip", "--from", "2026-11-22 02:30", "--to", "2026-11-22 02:31", "--out", out) == (
        "there is no footage between 2026-11-22 02:30:00.000+00:00 and 2026-11-22 02:31:00.000+00:00: the nearest "
        "before it ends at 2026-11-22 02:00:02.000+00:00, and the nearest after it begins at "
        "2026-11-22 03:00:00.000+00:00"
    )
    assert not list(unit.state.glob("*clip*"))
    early = unit.refuses("clip", "--from", "2026-11-21 02:30", "--to", "2026-11-21 02:31", "--out", out)
    assert "there is none before, and the nearest after it begins" in early
    late = unit.refuses("clip", "--from", "2026-11-22 04:30", "--to", "2026-11-22 04:31", "--out", out)
    assert "03:00:02.000+00:00, and there is none after it" in late


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (
            "2026-11-22 02:00:02",
            "2026-11-22 02:00:01",
            "--from (2026-11-22 02:00:02.000+00:00) is after --to (2026-11-22",
        ),
        ("2026-11-22 02:00:02", "2026-11-22 02:00:02", "is the same as --to"),
        ("2026-11-22 02:00:02", "2199-01-01 00:00", "--to: 2199-01-01 00:00:00.000+00:00 is still to come: it is now "),
        ("2199-01-01 00:00", "2199-01-01 00:01", "--from: 2199-01-01 00:00:00.000+00:00 is still to come"),
        ("teatime", "now", "--from: 'teatime' is not a time: give one such as '2026-11-24 17:03:12'"),
        ("2026-11-20 02:00:02", "2026-11-22 02:00:01", "a clip holds at most 24 h: ask for"),
    ],
)
def test_times_that_make_no_sense_are_one_sentence(unit: Unit, since: str, until: str, told: str) -> None:
    unit.record(moment(NIGHT), 2)
    assert told in unit.refuses("clip", "--from", since, "--to", until, "--out", unit.state / "clip.mp4")


def test_footage_that_a_wrong_clock_put_ahead_of_now_can_still_be_asked_for(unit: Unit) -> None:
    unit.record(moment("2199-01-01 00:00:00", THIRD, 100, "unsynced"), 2)
    assert clip(unit, "2199-01-01 00:00:00", "2199-01-01 00:00:01")["frames"] == FPS + 1


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(unit: Unit) -> None:
    unit.record(moment(NIGHT), 2)
    out = unit.state / "clip.mp4"
    out.write_text("evidence")
    interval = ("--from", "2026-11-22 02:00:00", "--to", "2026-11-22 02:00:01")
    assert unit.refuses("clip", *interval, "--out", out) == (
        f"--out: {out} is there already: give another name, or --force to replace it"
    )
    assert out.read_text() == "evidence"
    clip(unit, "2026-11-22 02:00:00", "2026-11-22 02:00:01", "--force")
    assert len(clocks(out)) == FPS + 1


def test_a_target_that_cannot_be_is_one_sentence(unit: Unit) -> None:
    unit.record(moment(NIGHT), 2)
    interval = ("clip", "--from", "2026-11-22 02:00:00", "--to", "2026-11-22 02:00:01")
    assert "is a folder: add a file's name" in unit.refuses(*interval, "--out", unit.state)
    nowhere = unit.state / "no" / "clip.mp4"
    assert f"there is no folder {nowhere.parent}" in unit.refuses(*interval, "--out", nowhere)


def test_a_clip_never_takes_the_room_that_the_recorder_needs(unit: Unit) -> None:
    unit.configure("footage: {reserve_mb: 900000000}\n")
    unit.record(moment(NIGHT), 2)
    out = unit.state / "clip.mp4"
    refused = unit.refuses("clip", "--from", "2026-11-22 02:00:00", "--to", "2026-11-22 02:00:01", "--out", out)
    assert "on the disk that footage is recorded to" in refused
    assert "900.0 TB must stay so: write to another disk" in refused


def command(unit: Unit, out: Path) -> list[str]:
    interval = ["--from", "2026-11-22 02:00:00", "--to", "2026-11-22 02:00:07"]
    program = [sys.executable, "-m", "agent.cli.main", "footage", "clip"]
    return [*program, "--config", str(unit.config), *interval, "--out", str(out)]


def test_a_target_that_takes_no_more_is_one_sentence_and_leaves_nothing(unit: Unit) -> None:
    unit.record(moment(NIGHT), 8)
    folder = unit.state / "stick"
    folder.mkdir()
    done = subprocess.run(
        ["prlimit", "--fsize=40000", *command(unit, folder / "clip.mp4")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"safepoint: {folder / 'clip.mp4'} cannot be written: File too large\n"
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_a_command_that_is_ended_leaves_nothing_behind(unit: Unit, end: signal.Signals) -> None:
    """A segment that is a pipe: the command waits for it in the middle of the clip."""
    unit.record(moment(NIGHT), 8)
    third = sorted(unit.segments.iterdir())[2]
    third.unlink()
    os.mkfifo(third)
    folder = unit.state / "stick"
    folder.mkdir()
    with subprocess.Popen(command(unit, folder / "clip.mp4"), stderr=subprocess.PIPE, text=True) as running:
        try:
            deadline = time.monotonic() + LIMIT_S
            while not list(folder.iterdir()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            running.send_signal(end)
            _, err = running.communicate(timeout=LIMIT_S)
        finally:
            running.kill()  # nothing to one that has ended
    assert (running.returncode, err) == (EXIT_INTERRUPTED, "")
    assert not list(folder.iterdir())


def test_a_unit_without_footage_is_one_sentence(unit: Unit) -> None:
    told = unit.refuses("clip", "--from", "-1h", "--to", "now", "--out", unit.state / "clip.mp4")
    assert told == f"there is no footage in {unit.footage}: has this unit recorded yet, and is the disk there?"
    unit.segments.mkdir(parents=True)
    told = unit.refuses("clip", "--from", "-1h", "--to", "now", "--out", unit.state / "clip.mp4")
    assert "there is none before, and there is none after it" in told
