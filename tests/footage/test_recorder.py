"""The recorder as the daemon knows it: it proves its work, answers every request, and survives its camera."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.clock import Moment, SystemClock
from agent.footage import recorder
from agent.footage.record import feed, pacing
from agent.footage.show import media_desk
from agent.footage.show.stills import MAX_BYTES
from agent.footage.show.strips import APART_S
from agent.footage.store.index import FootageIndex
from agent.helpers.messages import ClipRequest, MediaMade, MediaMissed, Trouble, TroubleOver, Working
from fakes.frame_clock import read_frame_clock
from fakes.scene import StreetScene
from tests.footage.daemon_end import running_recorder
from tests.footage.failing_disk import FailingDisk
from tests.footage.film import FRAME_S, clocks

ALERT = "01KB3ZQ4T0000000000000000"


def filmed(folder: Path) -> list[float]:
    """When each picture on the disk was taken, by the clock in it; on a busy machine they are further apart."""
    segments = (folder / "footage" / "segments").iterdir()
    return [clock.taken_ms / 1000 for path in segments for clock in clocks(path)]


def test_a_still_and_a_clip_with_time_before_and_after_the_event(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene(person=True)) as daemon:
        daemon.hears(Working, lambda proof: proof.done >= 30)
        event_s = time.monotonic()
        daemon.still(ALERT, event_s)
        daemon.clip(ALERT, event_s - 1.5, event_s + 1.5)
        still = daemon.hears(MediaMade, lambda made: made.media == "still")
        clip = daemon.hears(MediaMade, lambda made: made.media == "clip")
    jpeg = Path(still.path).read_bytes()
    shown = read_frame_clock(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), dtype=np.uint8))
    assert shown.taken_ms / 1000 == pytest.approx(still.start.monotonic_s, abs=0.002)
    assert still.path == str(tmp_path / "footage" / "incidents" / ALERT / "still.jpg")
    assert len(jpeg) == still.size_bytes <= MAX_BYTES
    assert hashlib.sha256(jpeg).hexdigest() == still.sha256

    film = clocks(Path(clip.path))
    assert film[0].taken_ms / 1000 <= event_s - 1.5
    assert film[-1].taken_ms / 1000 >= event_s + 1.5 - 0.001
    assert [clock.number for clock in film] == list(range(film[0].number, film[-1].number + 1))
    nearest = min(film, key=lambda clock: abs(clock.taken_ms / 1000 - event_s))
    assert abs(nearest.number - shown.number) <= 1, "two frames may be equally near"


def test_a_strip_is_ready_once_its_last_picture_is_on_the_disk(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene(person=True)) as daemon:
        daemon.hears(Working, lambda proof: proof.done >= 30)
        event_s = time.monotonic()
        daemon.strip(ALERT, event_s)
        daemon.still(ALERT, event_s)
        assert daemon.hears(MediaMade).media == "still", "nothing waits for the strip"
        strip = daemon.hears(MediaMade)
    assert (strip.media, strip.path) == ("strip", str(tmp_path / "footage" / "incidents" / ALERT / "strip.jpg"))
    jpeg = Path(strip.path).read_bytes()
    assert hashlib.sha256(jpeg).hexdigest() == strip.sha256
    assert len(jpeg) == strip.size_bytes <= MAX_BYTES
    for shown, wanted_s in ((strip.start, event_s - APART_S), (strip.end, event_s + APART_S)):
        nearest_s = min(abs(taken_s - wanted_s) for taken_s in filmed(tmp_path))
        assert abs(shown.monotonic_s - wanted_s) == pytest.approx(nearest_s, abs=0.002), "no other frame is nearer"


def test_a_clip_that_grows_begins_where_it_began_and_lacks_no_frame(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene(person=True)) as daemon:
        daemon.hears(Working, lambda proof: proof.done >= 30)
        event_s = time.monotonic()
        daemon.clip(ALERT, event_s - 1.5, event_s + 0.5)
        short = daemon.hears(MediaMade)
        before = clocks(Path(short.path))
        daemon.clip(ALERT, event_s - 1.5, event_s + 2.5)  # over a joint between two segments
        long = daemon.hears(MediaMade)
    after = clocks(Path(long.path))
    assert after[: len(before)] == before
    assert after[0].taken_ms / 1000 <= event_s - 1.5
    assert after[-1].taken_ms / 1000 >= event_s + 2.5 - 0.001
    assert [clock.number for clock in after] == list(range(after[0].number, after[-1].number + 1))
    assert hashlib.sha256(Path(long.path).read_bytes()).hexdigest() == long.sha256 != short.sha256
    left = sorted(path.name for path in Path(long.path).parent.iterdir())
    assert left == ["clip.mp4", "stretch.json"], "nothing half-made is left"


def test_what_is_asked_twice_is_made_twice_and_lies_in_the_same_place(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene()) as daemon:
        daemon.hears(Working)
        at_s = time.monotonic()
        daemon.clip(ALERT, at_s - 0.5, at_s)
        first = daemon.hears(MediaMade)
        daemon.clip(ALERT, at_s - 0.5, at_s)
        again = daemon.hears(MediaMade)
    assert (again.path, again.sha256) == (first.path, first.sha256)
    assert again.start.monotonic_s == first.start.monotonic_s


def test_an_alert_id_that_is_no_folder_name_is_refused(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene()) as daemon:
        daemon.hears(Working)
        for alert_id in ("../../etc", "", ".", "a/b", "x" * 200, "a\0b"):
            daemon.still(alert_id, time.monotonic())
            missed = daemon.hears(MediaMissed)
            assert missed.alert_id == alert_id
            assert "cannot be a folder's name" in missed.reason
    assert not (tmp_path / "footage" / "incidents").exists()


def test_a_moment_before_the_recording_is_missed_with_a_reason(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene()) as daemon:
        daemon.hears(Working)
        daemon.still(ALERT, time.monotonic() - 600)
        assert "no frame within 2 s" in daemon.hears(MediaMissed).reason
        daemon.clip(ALERT, time.monotonic() - 600, time.monotonic() - 590)
        assert "no frame of this time" in daemon.hears(MediaMissed).reason


def test_a_stalled_camera_is_told_and_recording_resumes_by_itself(tmp_path: Path) -> None:
    scene = StreetScene()
    with running_recorder(tmp_path, scene) as daemon:
        daemon.hears(Working)
        scene.freeze()
        assert "no frame for 2 s" in daemon.hears(Trouble, lambda trouble: trouble.code == "camera-lost").text
        scene.thaw()
        daemon.hears(TroubleOver, lambda over: over.code == "camera-lost")
        daemon.hears(Working, lambda proof: proof.lost >= 2 / FRAME_S)


def test_a_clip_into_a_camera_failure_gives_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_desk, "PATIENCE_S", 0.5)
    monkeypatch.setattr(feed, "BACKOFF_S", (0.2,))
    scene = StreetScene()
    with running_recorder(tmp_path, scene) as daemon:
        daemon.hears(Working)
        start_s = time.monotonic()
        daemon.hears(Working)
        scene.unplug()
        loose_s = time.monotonic()
        daemon.clip(ALERT, start_s, loose_s + 3)
        daemon.still("after-the-cable-came-loose", loose_s + 2.7)
        daemon.hears(Trouble)
        assert daemon.hears(MediaMissed).media == "still"
        made = daemon.hears(MediaMade)
        daemon.strip(ALERT, loose_s)
        strip = daemon.hears(MediaMade)
        scene.plug_in()
        daemon.hears(TroubleOver)
    assert start_s - APART_S < strip.start.monotonic_s <= strip.end.monotonic_s < loose_s + APART_S / 2
    assert made.start.monotonic_s <= start_s
    assert made.end.monotonic_s < loose_s + 3


def test_the_end_leaves_every_segment_closed_and_counted(tmp_path: Path) -> None:
    with running_recorder(tmp_path, StreetScene()) as daemon:
        daemon.hears(Working, lambda proof: proof.done > 35)
    index = FootageIndex(tmp_path / "footage" / "index.sqlite", tmp_path / "footage" / "segments")
    assert all(segment.closed and segment.frames for segment in index.segments())
    assert len(index.segments()) >= 2
    index.close()


def test_a_folder_that_cannot_be_used_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "footage").write_text("a file in the way")
    with running_recorder(tmp_path, StreetScene()) as daemon:
        assert str(tmp_path / "footage") in daemon.hears(Trouble).text
        (tmp_path / "footage").unlink()
        daemon.hears(TroubleOver)
        daemon.hears(Working)


def test_a_disk_that_stands_still_is_told_and_nothing_that_was_filmed_meanwhile_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "DISK_SILENT_S", 0.5)
    disk = FailingDisk(monkeypatch)
    with running_recorder(tmp_path, StreetScene()) as daemon:
        before = daemon.hears(Working)
        with disk.hanging():
            assert "has not answered" in daemon.hears(Trouble, lambda trouble: trouble.code == "disk-stalled").text
        daemon.hears(TroubleOver, lambda over: over.code == "disk-stalled")
        after = daemon.hears(Working, lambda proof: proof.done > before.done + 15)
    assert after.lost == 0


def test_a_disk_that_falls_behind_gets_less_and_full_quality_once_it_keeps_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("FALL_BEHIND_S", 1.0), ("SETTLE_S", 1.0), ("CALM_S", 1.0)):
        monkeypatch.setattr(pacing, name, seconds)
    disk = FailingDisk(monkeypatch)
    with running_recorder(tmp_path, StreetScene()) as daemon:
        daemon.hears(Working)
        with disk.hanging():
            told = daemon.hears(Trouble, lambda trouble: trouble.code == "storage-slow-2")
            assert "7 frames a second at 125 kbit/s" in told.text
        daemon.hears(TroubleOver, lambda over: over.code == "storage-slow-1")
        at_s = time.monotonic()
        after = daemon.hears(Working, lambda proof: proof.done > 0)
        daemon.clip(ALERT, at_s - 30, at_s)
        clip = daemon.hears(MediaMade)
    assert after.lost == 0, "filming less is not losing"
    index = FootageIndex(tmp_path / "footage" / "index.sqlite", tmp_path / "footage" / "segments")
    rates = [segment.name.fps for segment in index.segments()]
    index.close()
    steps = [fps for fps, _ in itertools.groupby(rates)]
    assert (steps[:2], steps[-1]) == ([15, 7], 15), "a busy machine's disk may fall behind once more in between"
    numbers = [clock.number for clock in clocks(Path(clip.path))]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_a_camera_that_is_late_again_and_again_costs_no_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LOOK_EVERY_S", 0.01)  # every frame at 15 a second is late then
    monkeypatch.setattr(recorder, "CAMERA_GONE_LOOKS", 10**6)
    with running_recorder(tmp_path, StreetScene()) as daemon:
        proof = daemon.hears(Working, lambda proof: proof.done >= 45)
    assert proof.lost == 0


class ClockOfAnEarlierBoot(SystemClock):
    """The machine's clocks, as a life before the last power cut had them."""

    def at(self, monotonic_s: float) -> Moment:
        return dataclasses.replace(super().at(monotonic_s), boot_id="11111111-0000-0000-0000-000000000000")


def test_a_clip_of_an_earlier_boot_is_cut_from_that_boots_footage(tmp_path: Path) -> None:
    earlier = ClockOfAnEarlierBoot()
    with running_recorder(tmp_path, StreetScene(), earlier) as daemon:
        before = daemon.hears(Working, lambda proof: proof.done >= 30)
        then = earlier.now()
        daemon.hears(Working, lambda proof: proof.done >= before.done + 30)
    with running_recorder(tmp_path, StreetScene()) as daemon:
        daemon.hears(Working)
        daemon.ask(ClipRequest("before-the-power-cut", then.later(-1.5), then.later(-0.5)))
        made = daemon.hears(MediaMade)
    assert made.start.boot_id == then.boot_id
    assert made.start <= then.later(-1.5)
    assert made.end >= then.later(-0.5)
