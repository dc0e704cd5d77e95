"""Room for the next segment: rolling footage goes first, then that of incidents, and what is held never goes."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality, Moment
from agent.footage.keep import space as space_module
from agent.footage.keep.holds import Hold, Holds
from agent.footage.keep.retention import DAY_S, MEGABYTE, Retention, StorageClass
from agent.footage.keep.space import HeldOnly, NoRoom, Space
from agent.footage.keep.upkeep import Upkeep
from agent.footage.store.incident_files import expect_incident, incident_folder, incident_shown
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentName, boot_of
from agent.footage.store.stretch import Stretch
from agent.footage.store.volume import Volume
from agent.helpers.messages import Event, FootageStands, Trouble, TroubleOver
from tests.footage.film import BOOT, START

if TYPE_CHECKING:
    from collections.abc import Iterator

SEGMENT_S = 10.0
SEGMENT_BYTES = 1000
PLENTY = 10**12


class Store:
    """A footage folder with small segments that are ten seconds long, on a disk of any size, at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Event] = []
        self.disk_bytes = PLENTY
        self.present = START
        self.wanted: frozenset[Path] | OSError = frozenset()
        """What uploads wait for, or why nobody can say."""
        (folder / "segments").mkdir(parents=True)
        self.open(Retention(PLENTY, PLENTY, 0, 31 * DAY_S, 31 * DAY_S))

    def open(self, retention: Retention) -> None:
        """Open the table anew, with these bounds."""
        self.retention = retention
        self.index = FootageIndex(self.folder / "index.sqlite", self.folder / "segments")
        self.space = Space(
            Volume(self.folder),
            self.index,
            retention,
            clock=self,
            tell=self.told.append,
            free=lambda _: self.free(),
            wanted=self.waited_for,
        )

    def waited_for(self) -> frozenset[Path]:
        if isinstance(self.wanted, OSError):
            raise self.wanted
        return self.wanted

    def bound(self, **bounds: float) -> None:
        """Change some of the bounds."""
        self.index.close()
        self.open(replace(self.retention, **bounds))  # type: ignore[arg-type] # numbers all

    def now(self) -> Moment:
        return self.present

    def at(self, monotonic_s: float) -> Moment:
        return self.present.later(monotonic_s - self.present.monotonic_s)

    def free(self) -> int:
        return self.disk_bytes - sum(path.stat().st_size for path in self.folder.rglob("*.[tm][sp]*"))

    def record(self, count: int, start: Moment = START) -> list[SegmentName]:
        """So many segments from this moment on."""
        names = [SegmentName.of(start.later(n * SEGMENT_S), 10) for n in range(count)]
        for name in names:
            (self.folder / "segments" / str(name)).write_bytes(b"x" * SEGMENT_BYTES)
            self.index.ended(name, name.start.monotonic_s + SEGMENT_S - 0.1, 100, SEGMENT_BYTES)
        return names

    def hold(self, ref: str, *names: SegmentName) -> None:
        """Hold these segments."""
        Holds(self.folder).place(
            Hold(ref, "robbery", "C. Marsh", now := datetime.now(UTC), now, now, tuple(middle(name) for name in names))
        )

    def incident(self, alert_id: str, first: SegmentName, last: SegmentName, clip_bytes: int = 0) -> None:
        """An incident that these segments show."""
        start = replace(first.start, boot_id=BOOT)
        length_s = last.start.monotonic_s - start.monotonic_s + 9
        incident_shown(self.folder, alert_id, start.later(1), start.later(length_s))
        if clip_bytes:
            (incident_folder(self.folder, alert_id) / "clip.mp4").write_bytes(b"c" * clip_bytes)

    def left(self) -> list[str]:
        """The files of segments, in the order of recording; they and the table agree."""
        names = [str(segment.name) for segment in self.index.segments()]
        assert sorted(names) == sorted(path.name for path in (self.folder / "segments").iterdir())
        return names

    @property
    def troubles(self) -> list[tuple[str, str]]:
        """What was told to be wrong or right again."""
        return [(event.type, event.code) for event in self.told if isinstance(event, Trouble | TroubleOver)]


def middle(name: SegmentName) -> Stretch:
    at_s = name.start.monotonic_s + SEGMENT_S / 2
    return Stretch(name.start.boot_id, at_s, at_s)


def texts(names: list[SegmentName]) -> list[str]:
    return [str(name) for name in names]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "footage")
    yield store
    store.index.close()


def test_nothing_goes_while_there_is_room(store: Store) -> None:
    names = store.record(4)
    store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names)


def test_the_oldest_rolling_segments_go_when_all_together_would_hold_too_much(store: Store) -> None:
    names = store.record(5)
    store.bound(rolling_max_bytes=4 * SEGMENT_BYTES)
    store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names[2:])


def test_the_oldest_segments_go_until_the_reserve_is_free_again(store: Store) -> None:
    names = store.record(5)
    store.disk_bytes = 6 * SEGMENT_BYTES
    store.bound(reserve_bytes=3 * SEGMENT_BYTES)
    store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names[3:])
    assert store.free() >= 4 * SEGMENT_BYTES


def test_rolling_goes_before_incident_and_held_stays_until_nothing_else_is_left(store: Store) -> None:
    names = store.record(6)
    store.hold("crime 1", names[0])
    store.incident("a", names[1], names[2])
    store.disk_bytes = 7 * SEGMENT_BYTES
    store.space.make_room(2 * SEGMENT_BYTES)
    assert store.left() == texts([*names[:3], *names[4:]]), "the oldest rolling one is newer than the incident"
    store.space.make_room(4 * SEGMENT_BYTES)
    assert store.left() == texts(names[:3])
    store.space.make_room(5 * SEGMENT_BYTES)
    assert store.left() == texts([names[0], names[2]])
    with pytest.raises(HeldOnly, match="all footage on the disk is held") as refused:
        store.space.make_room(7 * SEGMENT_BYTES)
    assert (refused.value.errno, refused.value.code) == (errno.ENOSPC, "held-only")
    assert store.left() == texts(names[:1])
    Holds(store.folder).release("crime 1", "P. Shaw", "case closed", datetime.now(UTC))
    store.space.make_room(7 * SEGMENT_BYTES)
    assert store.left() == []


def test_a_disk_full_of_something_else_is_told_as_such(store: Store) -> None:
    store.record(2)
    store.disk_bytes = 2 * SEGMENT_BYTES
    with pytest.raises(NoRoom, match="no footage is left to remove") as refused:
        store.space.make_room(3 * SEGMENT_BYTES)
    assert refused.value.code == "disk-full"
    assert store.left() == []


def test_a_hold_over_a_clip_keeps_the_clip_and_the_stills_of_its_incident(store: Store) -> None:
    names = store.record(3)
    store.incident("a", names[1], names[2], clip_bytes=500)
    store.incident("b", names[0], names[0], clip_bytes=500)
    store.hold("crime 1", names[1])
    store.disk_bytes = 4 * SEGMENT_BYTES
    with pytest.raises(HeldOnly):
        store.space.make_room(4 * SEGMENT_BYTES)
    assert store.left() == texts(names[1:2])
    assert [path.name for path in (store.folder / "incidents").iterdir()] == ["a"]
    assert (store.folder / "incidents" / "a" / "clip.mp4").exists()


def test_the_oldest_incident_footage_above_its_budget_is_rolling(store: Store) -> None:
    names = store.record(6)
    store.incident("a", names[0], names[1], clip_bytes=500)
    store.incident("b", names[2], names[4])
    store.bound(incident_max_bytes=3 * SEGMENT_BYTES + 400)
    store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names), "it goes only when rolling footage has to"
    assert store.index.bytes_of(StorageClass.INCIDENT) == 3 * SEGMENT_BYTES
    store.bound(rolling_max_bytes=2 * SEGMENT_BYTES)
    store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names[2:])
    assert [path.name for path in (store.folder / "incidents").iterdir()] == ["b"]


def test_classes_are_those_of_the_files_after_the_table_is_lost(store: Store) -> None:
    names = store.record(4)
    store.hold("crime 1", names[1])
    store.incident("a", names[2], names[2])
    store.index.close()
    for file in store.folder.glob("index.sqlite*"):
        file.unlink()
    for name in names:  # real segments end where their last frame does: these have none to find it by
        (store.folder / "segments" / str(name)).rename(store.folder / str(name))
    store.open(store.retention)
    for name in names:
        (store.folder / str(name)).rename(store.folder / "segments" / str(name))
        store.index.ended(name, name.start.monotonic_s + SEGMENT_S - 0.1, None, SEGMENT_BYTES)
    store.disk_bytes = 4 * SEGMENT_BYTES
    store.space.make_room(2 * SEGMENT_BYTES)
    assert store.left() == texts(names[1:3])


def test_an_incident_protects_what_is_still_to_come_until_its_clip_is_cut(store: Store) -> None:
    expect_incident(store.folder, "a", START.later(-10), START.later(35))
    expect_incident(store.folder, "a", START.later(500), START.later(600))
    names = store.record(6)
    store.space.make_room(SEGMENT_BYTES)
    assert store.index.bytes_of(StorageClass.INCIDENT) == 4 * SEGMENT_BYTES, "the first word counts"
    incident_shown(store.folder, "a", START.later(1), START.later(12))
    store.space.make_room(SEGMENT_BYTES)
    assert store.index.bytes_of(StorageClass.INCIDENT) == 2 * SEGMENT_BYTES
    assert store.left() == texts(names)


@pytest.mark.parametrize("damage", [b"", b'{"ref": "crime 1", "reas', b"\xff\xfe\0"])
def test_while_a_hold_cannot_be_read_nothing_at_all_goes(store: Store, damage: bytes) -> None:
    names = store.record(3)
    store.hold("crime 1", names[0])
    (file,) = (store.folder / "holds").glob("*.json")
    good = file.read_bytes()
    file.write_bytes(damage)
    store.bound(rolling_max_bytes=SEGMENT_BYTES)
    store.space.make_room(SEGMENT_BYTES)
    store.present = START.later(60 * DAY_S)
    store.space.expire()
    store.disk_bytes = 3 * SEGMENT_BYTES
    with pytest.raises(HeldOnly, match="holds that cannot be read"):
        store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names)
    assert store.troubles == [("trouble", "holds-damaged")]
    assert store.space.facts()["heldMb"] == 0
    file.write_bytes(good)
    store.space.make_room(2 * SEGMENT_BYTES)
    assert store.left() == texts(names[:1])
    assert store.troubles[-1] == ("trouble-over", "holds-damaged")


def test_a_lock_that_is_not_to_be_had_costs_no_footage_while_the_disk_has_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = store.record(3)
    store.bound(rolling_max_bytes=SEGMENT_BYTES)
    monkeypatch.setattr("agent.footage.keep.holds.WAIT_S", 0.05)
    with Holds(store.folder).deciding():
        store.space.make_room(SEGMENT_BYTES)
        store.disk_bytes = 3 * SEGMENT_BYTES
        with pytest.raises(TimeoutError):
            store.space.make_room(SEGMENT_BYTES)
    assert store.left() == texts(names)


def test_rolling_footage_incident_footage_and_clips_go_at_their_own_age_and_held_at_none(store: Store) -> None:
    names = store.record(5)
    store.incident("a", names[1], names[1], clip_bytes=500)
    store.incident("b", names[2], names[2], clip_bytes=500)
    store.hold("crime 1", names[2], names[3])
    store.bound(keep_s=DAY_S, incident_keep_s=2 * DAY_S)
    store.present = START.later(SEGMENT_S - 0.2 + DAY_S)
    store.space.expire()
    assert store.left() == texts(names)
    store.present = START.later(SEGMENT_S + DAY_S)
    store.space.expire()
    assert store.left() == texts(names[1:])
    store.present = START.later(1.9 * DAY_S)
    store.space.expire()
    assert store.left() == texts(names[1:4])
    store.present = START.later(2.1 * DAY_S)
    store.space.expire()
    assert store.left() == texts(names[2:4])
    assert [path.name for path in (store.folder / "incidents").iterdir()] == ["b"]
    assert (store.folder / "incidents" / "b" / "clip.mp4").exists()
    store.present = START.later(999 * DAY_S)
    store.space.expire()
    assert store.left() == texts(names[2:4])


def test_a_month_that_is_due_at_once_goes_in_many_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_module, "PIECES_A_TURN", 3)
    store.record(10)
    store.present = START.later(40 * DAY_S)
    store.space.expire()
    assert store.left() == []
    assert store.space.facts()["removedPieces"] == 10


def test_an_incident_of_which_nobody_can_say_when_it_was_goes_at_the_age_of_one_found_now(store: Store) -> None:
    store.record(1)
    folder = incident_folder(store.folder, "a")
    (folder / "still.jpg").write_bytes(b"jpeg")
    (folder / "stretch.json").write_bytes(b"\0\0\0")
    store.space.expire()
    assert (folder / "stretch.json").read_bytes() == b"\0\0\0", "it may be about to be written"
    store.space.expire()
    store.present = START.later(30.9 * DAY_S)
    store.space.expire()
    assert (folder / "still.jpg").exists()
    store.present = START.later(31.1 * DAY_S)
    store.space.expire()
    assert not folder.exists()


def test_a_clock_that_jumps_to_2031_removes_nothing_and_is_told(store: Store) -> None:
    names = store.record(3)
    boot = replace(START, boot_id="ffffffff-0000-4000-8000-000000000000", monotonic_s=5.0)
    store.present = replace(boot, wall=START.wall + timedelta(days=1900))
    store.space.expire()
    store.record(2, store.present)
    store.present = store.present.later(3600)
    store.space.expire()
    assert len(store.left()) == 5
    assert store.troubles == [("trouble", "clock-jumped")]
    store.present = replace(boot.later(3700), wall=START.wall + timedelta(hours=2))
    store.space.expire()
    assert store.troubles == [("trouble", "clock-jumped"), ("trouble-over", "clock-jumped")]
    store.present = replace(store.present, wall=START.wall + timedelta(days=31.1), monotonic_s=31 * DAY_S)
    store.space.expire()
    assert not set(texts(names)) & set(store.left())


def test_the_clock_of_a_unit_without_a_network_removes_nothing_that_another_boot_recorded(store: Store) -> None:
    names = store.record(2)
    store.present = Moment(5.0, START.wall + timedelta(days=900), "f" * 36, ClockQuality.UNSYNCED)
    store.space.expire()
    assert store.left() == texts(names)


def test_what_is_removed_is_counted_by_class(store: Store) -> None:
    names = store.record(2)
    store.incident("a", names[0], names[0], clip_bytes=3 * MEGABYTE)
    store.disk_bytes = 2 * SEGMENT_BYTES
    with pytest.raises(NoRoom):
        store.space.make_room(3 * SEGMENT_BYTES)
    facts = store.space.facts()
    assert (facts["removedPieces"], facts["removedRollingMb"], facts["removedIncidentMb"]) == (3, 0, 3)


def test_a_disk_that_cannot_hold_what_was_promised_is_a_fault_and_a_small_budget_is_not(store: Store) -> None:
    store.record(3)
    store.disk_bytes = 5_000_000
    assert store.space.facts()["keptBy"] == "disk"
    assert store.troubles == [("trouble", "retention-short")]
    store.disk_bytes = PLENTY
    facts = store.space.facts()
    assert (facts["keptBy"], facts["daysKept"], facts["daysToFull"]) == ("age", 31.0, None)
    assert facts["oldest"] == "2026-11-22T02:14:07+00:00"
    assert store.troubles[-1] == ("trouble-over", "retention-short")
    store.bound(rolling_max_bytes=86_400_000)
    facts = store.space.facts()
    assert (facts["keptBy"], facts["mbPerDay"]) == ("budget", 9)
    assert facts["daysKept"] == pytest.approx(10, rel=0.01)
    assert len(store.troubles) == 2


def test_upkeep_tells_how_footage_stands_and_what_it_cannot_remove_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.record(2)
    upkeep = Upkeep(store.space, store.told.append)
    upkeep.once()
    (stands,) = (event for event in store.told if isinstance(event, FootageStands))
    assert stands.facts["keepDays"] == 31.0
    store.present = START.later(32 * DAY_S)

    def stuck(path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), f"{path} {missing_ok}")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", stuck)
        upkeep.once()
        upkeep.once()
    assert store.troubles == [("trouble", "retention-failed")]
    upkeep.once()
    assert store.troubles[-1] == ("trouble-over", "retention-failed")
    assert store.left() == []


def test_a_kill_between_the_file_and_its_row_is_made_good_at_the_next_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = store.record(3)
    store.bound(rolling_max_bytes=2 * SEGMENT_BYTES)
    with monkeypatch.context() as killed:
        killed.setattr(store.index, "forget", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.space.make_room(SEGMENT_BYTES)
    assert [str(segment.name) for segment in store.index.segments()] == texts(names)
    store.bound()
    assert store.left() == texts(names[1:])
    assert store.index.bytes_of(StorageClass.ROLLING) == 2 * SEGMENT_BYTES
    assert boot_of(START) == names[0].start.boot_id
