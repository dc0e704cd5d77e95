"""A footage volume that is missing, torn away, full or read-only: the card below stays clean, and recording resumes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent.config.filming import FootageSettings
from agent.footage.keep.holds import Hold, Holds
from agent.footage.keep.retention import DAY_S, Retention
from agent.footage.keep.space import Space
from agent.footage.record.recording import Pace, Recording
from agent.footage.store.index import FootageIndex
from agent.footage.store.stretch import Stretch
from agent.footage.store.volume import MountMissing, Volume
from agent.helpers.messages import FootageStands, Trouble, TroubleOver, Working
from fakes.scene import StreetScene
from tests.footage.daemon_end import config, running_recorder
from tests.footage.disks import Disk
from tests.footage.film import FPS, START, StoppedClock, clocks, film

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.helpers.messages import Event

SIZE_KB = 4096
BOUNDS = Retention(10**9, 10**9, 0, 31 * DAY_S, 31 * DAY_S)


class Unit:
    """A recording on the volume that is to be mounted at one place."""

    def __init__(self, mount: Path) -> None:
        self.told: list[Event] = []
        self.mount = mount
        self.volume = Volume(mount / "footage", mount)
        self.index = FootageIndex(self.volume.make("segments").parent / "index.sqlite", mount / "footage" / "segments")
        space = Space(self.volume, self.index, BOUNDS, clock=StoppedClock(), tell=self.told.append)
        self.recording = Recording(
            self.volume.folder / "segments",
            self.index,
            space,
            clock=StoppedClock(),
            pace=Pace(500, 2, 1.0),
            tell=self.told.append,
            on_disk=lambda _: None,
        )

    def film(self, first_s: int, last_s: int) -> None:
        """Record these seconds of the film."""
        for frame in film(12)[first_s * FPS : last_s * FPS]:
            self.recording.write(frame)

    @property
    def troubles(self) -> list[str]:
        """What was told: a code when it began, "over" and the code when it ended."""
        told = (event for event in self.told if isinstance(event, Trouble | TroubleOver))
        return [event.code if isinstance(event, Trouble) else f"over {event.code}" for event in told]

    @property
    def counted(self) -> int:
        """Frames safe and lost, as last told."""
        last = [event for event in self.told if isinstance(event, Working)][-1]
        return last.done + last.lost

    def stored(self) -> list[int]:
        """The numbers of the frames that lie on the volume now."""
        segments = sorted((self.mount / "footage" / "segments").iterdir())
        return [clock.number for segment in segments for clock in clocks(segment)]


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    mount = tmp_path / "mnt"
    mount.mkdir()
    return mount


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path, "disk", SIZE_KB)
    yield disk
    disk.throw_away()


@pytest.fixture
def unit(mount: Path, disk: Disk) -> Iterator[Unit]:
    disk.plug_in(mount)
    unit = Unit(mount)
    yield unit
    unit.recording.pause()
    unit.index.close()


def test_without_its_volume_nothing_is_written_not_even_a_folder(mount: Path, disk: Disk) -> None:
    volume = Volume(mount / "a" / "footage", mount)
    with pytest.raises(MountMissing, match="nothing is mounted"):
        volume.make("segments")
    assert list(mount.iterdir()) == []
    disk.plug_in(mount)
    assert volume.make("segments").is_dir()
    disk.tear_out(mount)
    with pytest.raises(MountMissing):
        volume.check()
    assert list(mount.iterdir()) == []


def test_a_folder_that_leads_to_another_disk_than_the_mounted_one_is_refused(
    mount: Path, disk: Disk, tmp_path: Path
) -> None:
    disk.plug_in(mount)
    (tmp_path / "card").mkdir()
    (mount / "footage").symlink_to(tmp_path / "card")
    with pytest.raises(MountMissing, match="not on the volume"):
        Volume(mount / "footage" / "inner", mount).make("segments")
    assert list((tmp_path / "card").iterdir()) == []
    Volume(mount / "other", mount).check()


def test_a_volume_is_only_asked_for_where_one_is_configured(tmp_path: Path) -> None:
    assert Volume(tmp_path / "footage").make("segments").is_dir()
    assert FootageSettings().mount is None


def test_a_volume_torn_away_in_mid_segment_leaves_the_card_clean_and_recording_resumes(
    unit: Unit, disk: Disk, mount: Path
) -> None:
    unit.film(0, 3)
    disk.tear_out(mount)
    unit.film(3, 6)
    assert unit.troubles == ["mount-missing"]
    assert list(mount.iterdir()) == []
    disk.plug_in(mount)
    unit.film(6, 9)
    unit.recording.pause()
    assert unit.troubles == ["mount-missing", "over mount-missing"]
    assert unit.stored() == [*range(4 * FPS), *range(6 * FPS, 9 * FPS)], "the open segment went on to its end"
    assert unit.counted == 9 * FPS


def test_recording_goes_on_with_another_disk_in_the_place_of_a_lost_one(
    unit: Unit, disk: Disk, mount: Path, tmp_path: Path
) -> None:
    unit.film(0, 3)
    disk.tear_out(mount)
    unit.film(3, 5)
    spare = Disk(tmp_path, "spare", SIZE_KB)
    try:
        spare.plug_in(mount)
        unit.film(5, 9)
        unit.recording.pause()
        assert unit.troubles == ["mount-missing", "over mount-missing"]
        assert unit.stored() == list(range(5 * FPS, 9 * FPS))
        assert [segment.path.exists() for segment in unit.index.segments()] == [True, True], "the table moved with it"
        unit.index.close()
    finally:
        spare.throw_away()


def test_a_disk_that_comes_back_read_only_is_told_and_recovered_from(unit: Unit, disk: Disk, mount: Path) -> None:
    unit.film(0, 2)
    disk.tear_out(mount)
    disk.plug_in(mount, read_only=True)
    unit.film(2, 5)
    assert unit.troubles == ["write-failed"]
    disk.tear_out(mount)
    disk.plug_in(mount)
    unit.film(5, 7)
    unit.recording.pause()
    assert unit.troubles == ["write-failed", "over write-failed"]
    assert unit.stored() == [*range(2 * FPS), *range(5 * FPS, 7 * FPS)]


def fill(mount: Path) -> None:
    """Let not one byte more fit on this volume."""
    with (mount / "somebody-elses").open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    assert os.statvfs(mount).f_bavail == 0


def test_on_a_disk_that_is_truly_full_the_oldest_rolling_footage_makes_room(unit: Unit, mount: Path) -> None:
    unit.film(0, 7)
    fill(mount)
    unit.film(7, 12)
    unit.recording.pause()
    assert unit.troubles in ([], ["disk-full", "over disk-full"]), "the open segment may still have had a page to fill"
    kept = unit.stored()
    assert kept[0] >= 2 * FPS, "the oldest went"
    assert kept[-1] == 12 * FPS - 1
    assert unit.counted == 12 * FPS


def test_a_full_disk_of_held_footage_stops_the_recording_until_there_is_room(unit: Unit, mount: Path) -> None:
    unit.film(0, 5)
    unit.recording.pause()
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    everything = Stretch(unit.index.segments()[0].name.start.boot_id, START.monotonic_s, START.monotonic_s + 5)
    Holds(unit.volume.folder).place(Hold("crime 1", "robbery", "C. Marsh", noon, noon, noon, (everything,)))
    fill(mount)
    unit.film(5, 8)
    assert unit.troubles == ["held-only"]
    assert unit.stored() == list(range(5 * FPS))
    (mount / "somebody-elses").unlink()
    unit.film(8, 10)
    unit.recording.pause()
    assert unit.troubles == ["held-only", "over held-only"]
    assert unit.stored() == [*range(5 * FPS), *range(8 * FPS, 10 * FPS)]
    assert unit.counted == 10 * FPS


def test_a_recorder_waits_for_its_volume_and_tells_how_footage_stands(
    disk: Disk, mount: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.footage.keep.upkeep.EVERY_S", 0.2)
    small = config(tmp_path)
    footage = FootageSettings(folder=mount / "footage", mount=mount, segment_s=2, reserve_mb=10)
    disk.grow(30_000)
    with running_recorder(tmp_path, StreetScene(), settings=small.model_copy(update={"footage": footage})) as daemon:
        assert daemon.hears(Trouble).code == "mount-missing"
        assert list(mount.iterdir()) == []
        disk.plug_in(mount)
        assert daemon.hears(TroubleOver).code == "mount-missing"
        stands = daemon.hears(FootageStands, lambda stands: stands.facts["daysKept"] is not None)
    assert stands.facts["keptBy"] == "disk"
    assert [path.name for path in tmp_path.iterdir() if path.name == "footage"] == []
