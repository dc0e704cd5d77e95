"""Recording goes on through everything a disk and a camera can do, and counts what it costs."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality, Moment
from agent.config.filming import FootageSettings
from agent.footage.keep.retention import Retention
from agent.footage.keep.space import Space
from agent.footage.record.recording import Pace, Recording
from agent.footage.show.clips import Wish, cut_clip
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import boot_of
from agent.footage.store.timeline import frames_between
from agent.footage.store.volume import Volume
from agent.helpers.messages import Trouble, TroubleOver, Working
from tests.footage.failing_disk import FailingDisk
from tests.footage.film import FPS, START, StoppedClock, clocks, film

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.helpers.messages import Event


class SettableClock(StoppedClock):
    """A wall clock that somebody sets while the monotonic one goes on."""

    def __init__(self) -> None:
        self.set_by_s = 0.0
        self.quality = START.quality

    def at(self, monotonic_s: float) -> Moment:
        moment = super().at(monotonic_s)
        return replace(moment, wall=moment.wall + timedelta(seconds=self.set_by_s), quality=self.quality)


class Studio:
    """A recording with all that belongs to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Event] = []
        self.reached: list[float] = []
        self.free_bytes = 10**12
        self.clock = SettableClock()
        segments = folder / "segments"
        segments.mkdir(exist_ok=True)
        self.index = FootageIndex(folder / "index.sqlite", segments)
        self.recording = Recording(
            segments,
            self.index,
            Space(
                Volume(folder),
                self.index,
                Retention.of(FootageSettings()),
                clock=self.clock,
                tell=self.told.append,
                free=lambda _: self.free_bytes,
            ),
            clock=self.clock,
            pace=Pace(500, 2, 1.0),
            tell=self.told.append,
            on_disk=self.reached.append,
        )

    def film(self, first: int, last: int) -> None:
        """Record these frames of the film."""
        for frame in film(12)[first:last]:
            self.recording.write(frame)

    @property
    def troubles(self) -> list[tuple[str, str]]:
        """What was told to be wrong or right again."""
        return [(event.type, event.code) for event in self.told if isinstance(event, Trouble | TroubleOver)]

    @property
    def count(self) -> tuple[int, int]:
        """Frames safe and lost, as last told."""
        proofs = [event for event in self.told if isinstance(event, Working)]
        return (proofs[-1].done, proofs[-1].lost) if proofs else (0, 0)

    def stored(self) -> list[int]:
        """The numbers of all stored frames, from a clip of everything."""
        wish = Wish(START.monotonic_s, START.monotonic_s + 60, START.wall)
        frames = frames_between(self.index, boot_of(START), wish.start_s, wish.end_s)
        return [clock.number for clock in clocks(cut_clip(frames, wish, self.folder / "all.mp4").path)]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path)
    yield studio
    studio.recording.pause()
    studio.index.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    return FailingDisk(monkeypatch)


def test_segments_follow_each_other_without_losing_a_frame(studio: Studio) -> None:
    studio.film(0, 7 * FPS)
    assert [segment.frames for segment in studio.index.segments()] == [2 * FPS, 2 * FPS, 2 * FPS, None]
    assert studio.stored() == list(range(7 * FPS))
    assert studio.reached == [frame.taken_s for frame in film(12)[: 7 * FPS]]


def test_each_second_on_the_disk_is_one_proof_of_work(studio: Studio) -> None:
    studio.film(0, 4 * FPS + 1)
    proofs = [event for event in studio.told if isinstance(event, Working)]
    assert [proof.done for proof in proofs] == sorted({proof.done for proof in proofs})
    assert studio.count == (4 * FPS, 0)
    assert len(proofs) >= 4


def test_recording_begins_with_a_key_frame(studio: Studio) -> None:
    studio.film(4, 3 * FPS)
    assert studio.stored() == list(range(FPS, 3 * FPS))


def test_a_pause_makes_what_there_is_safe_and_ends_its_segment(studio: Studio) -> None:
    studio.film(0, FPS + 5)
    studio.recording.pause()
    assert [segment.frames for segment in studio.index.segments()] == [FPS + 5]
    assert studio.count == (FPS + 5, 0)
    studio.recording.pause()
    studio.film(3 * FPS, 4 * FPS + 1)
    assert studio.count == (2 * FPS + 5 + 1, 2 * FPS - 5)


def test_frames_that_come_late_go_on_in_their_segment_without_losing_one(studio: Studio) -> None:
    studio.film(0, FPS + 5)
    studio.recording.rest()
    assert studio.count == (FPS + 5, 0), "what there is was made safe"
    studio.film(FPS + 5, 2 * FPS)
    studio.recording.pause()
    assert [segment.frames for segment in studio.index.segments()] == [2 * FPS]
    assert studio.count == (2 * FPS, 0)


def test_frames_that_go_back_in_time_are_left_out(studio: Studio) -> None:
    studio.film(0, 20)
    studio.film(16, 30)
    assert studio.stored() == list(range(30))


def test_a_full_disk_is_told_once_counted_and_recovered_from(studio: Studio, disk: FailingDisk) -> None:
    studio.film(0, 2 * FPS + 4)
    disk.fill()
    studio.film(2 * FPS + 4, 5 * FPS)
    assert studio.troubles == [("trouble", "disk-full")]
    assert studio.reached[-1] == film(12)[2 * FPS + 3].taken_s
    disk.heal()
    studio.film(5 * FPS, 7 * FPS)
    studio.recording.pause()
    assert studio.troubles == [("trouble", "disk-full"), ("trouble-over", "disk-full")]
    assert studio.stored() == [*range(2 * FPS + 4), *range(5 * FPS, 7 * FPS)]
    done, lost = studio.count
    assert done + lost == 7 * FPS
    assert lost == 3 * FPS, "the four unsynced frames count as lost although they turned out to be there"


def test_a_disk_that_cannot_sync_is_told_and_gives_no_proof_of_work(studio: Studio, disk: FailingDisk) -> None:
    studio.film(0, FPS + 1)
    proved = studio.count
    disk.wear_out()
    studio.film(FPS + 1, 4 * FPS)
    assert studio.troubles == [("trouble", "write-failed")]
    assert studio.count == proved
    disk.heal()
    studio.film(4 * FPS, 6 * FPS + 1)
    assert studio.troubles[-1] == ("trouble-over", "write-failed")
    assert sum(studio.count) == 6 * FPS + 1


def test_a_disk_gone_read_only_is_tried_again_at_each_key_frame(studio: Studio, disk: FailingDisk) -> None:
    disk.go_read_only()
    studio.film(0, 3 * FPS)
    assert studio.troubles == [("trouble", "write-failed")]
    assert studio.index.segments() == []
    disk.heal()
    studio.film(3 * FPS, 5 * FPS)
    assert studio.stored() == list(range(3 * FPS, 5 * FPS))


def test_no_room_and_nothing_to_remove_is_a_full_disk(studio: Studio) -> None:
    studio.free_bytes = 1000
    studio.film(0, 2 * FPS)
    assert studio.troubles == [("trouble", "disk-full")]
    studio.free_bytes = 10**12
    studio.film(2 * FPS, 4 * FPS)
    assert studio.troubles[-1] == ("trouble-over", "disk-full")


def test_one_trouble_after_another_is_told_by_its_own_name(studio: Studio, disk: FailingDisk) -> None:
    disk.fill()
    studio.film(0, FPS)
    disk.go_read_only()
    studio.film(FPS, 3 * FPS)
    assert studio.troubles == [("trouble", "disk-full"), ("trouble-over", "disk-full"), ("trouble", "write-failed")]


def test_a_clock_that_is_set_begins_a_segment_with_its_new_time_and_leaves_the_old_names_alone(studio: Studio) -> None:
    studio.film(0, FPS + 1)
    studio.clock.set_by_s = 3600.0
    studio.film(FPS + 1, 3 * FPS)
    first, second = (segment.name.start for segment in studio.index.segments())
    assert first.wall == START.wall
    assert second.wall - first.wall == timedelta(seconds=3602)
    assert second.monotonic_s - first.monotonic_s == 2
    assert studio.stored() == list(range(3 * FPS)), "no frame is lost by it"


def test_a_clock_that_is_corrected_little_by_little_changes_nothing(studio: Studio) -> None:
    for second in range(4):
        studio.clock.set_by_s = 0.1 * second
        studio.film(second * FPS, (second + 1) * FPS)
    assert len(studio.index.segments()) == 2


def test_a_clock_that_becomes_trustworthy_shows_in_the_next_name(studio: Studio) -> None:
    studio.clock.quality = ClockQuality.UNSYNCED
    studio.film(0, FPS)
    studio.clock.quality = ClockQuality.SYNCED
    studio.film(FPS, 2 * FPS)
    assert [segment.name.start.quality for segment in studio.index.segments()] == ["unsynced", "synced"]


def test_a_slower_camera_is_no_loss_and_its_segments_say_how_fast_they_are(studio: Studio) -> None:
    studio.film(0, FPS)
    slower = [replace(frame, frame_s=3 / FPS) for frame in film(12)[FPS : 4 * FPS : 3]]
    for frame in slower:
        studio.recording.write(frame)
    studio.recording.pause()
    assert [segment.name.fps for segment in studio.index.segments()] == [FPS, 5, 5]
    assert studio.count == (FPS + len(slower), 0)
    wish = Wish(START.monotonic_s, START.monotonic_s + 3.5, START.wall)
    frames = frames_between(studio.index, boot_of(START), wish.start_s, wish.end_s)
    assert cut_clip(frames, wish, studio.folder / "clip.mp4").gaps == ()


def test_a_disk_that_does_not_answer_can_be_seen_from_outside(studio: Studio, disk: FailingDisk) -> None:
    assert studio.recording.disk_silent_s() == 0
    with disk.hanging() as hangs:
        writer = threading.Thread(target=studio.film, args=(0, 2 * FPS))
        writer.start()
        assert hangs.wait(20)
        silent_s = studio.recording.disk_silent_s()
        assert silent_s > 0
        assert studio.recording.disk_silent_s() > silent_s
    writer.join()
    assert studio.recording.disk_silent_s() == 0
    assert studio.stored() == list(range(2 * FPS))
