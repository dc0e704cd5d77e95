"""Exports go at their age, or the oldest first for want of room; what is being sent or written stays under it all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality, Moment
from agent.footage.keep.ages import Ages, BootSpan
from agent.footage.keep.exports import FRESH_S, Exports, age_s, is_fresh
from agent.footage.keep.retention import DAY_S
from agent.footage.keep.space import HeldOnly
from agent.footage.store import exports as exports_module
from agent.footage.store.exports import Export, read_exports, writing
from agent.footage.store.segments import boot_of
from tests.footage.film import START
from tests.footage.keep.test_space import SEGMENT_BYTES, Store, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR_S = 3600.0
EARLIER_BOOT = "99999999-0000-4000-8000-000000000000"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "footage")
    yield store
    store.index.close()


def export(store: Store, name: str, age_s: float, size_bytes: int = 1000) -> Path:
    """An export of so long ago, with a clip of this size."""
    with writing(store.folder, name, store.present.later(-age_s)) as folder:
        (folder / "clip.mp4").write_bytes(b"e" * size_bytes)
    return store.folder / "exports" / name


def left(store: Store) -> list[str]:
    return [each.name for each in read_exports(store.folder)]


@pytest.fixture
def full(store: Store) -> Store:
    """A disk that holds what it has and no more, four days after the first segment."""
    store.present = START.later(4 * DAY_S)
    return store


def fill(store: Store, room_for_bytes: int = 0) -> None:
    store.disk_bytes = store.disk_bytes - store.free() + room_for_bytes


def test_an_export_goes_at_its_age_whether_anything_is_recorded_or_not(store: Store) -> None:
    store.present = START.later(9 * DAY_S)
    export(store, "old", 7 * DAY_S)
    export(store, "younger", 7 * DAY_S - 60)
    store.space.expire()
    assert left(store) == ["younger"]
    store.present = store.present.later(60)
    store.space.expire()
    assert left(store) == []
    assert store.space.facts()["removedExports"] == 2


def test_rolling_footage_goes_before_an_export_and_an_export_before_an_incident(full: Store) -> None:
    rolling, shown = full.record(2), full.record(2, START.later(3 * DAY_S))
    full.incident("inc-1", shown[0], shown[1])
    old, older = export(full, "a-old", 2 * HOUR_S), export(full, "b-older", 3 * HOUR_S)
    fill(full)
    full.space.make_room(2 * SEGMENT_BYTES)
    assert full.left() == texts(shown)
    assert [old.exists(), older.exists()] == [True, True]
    full.record(2, START.later(3.5 * DAY_S))
    full.space.make_room(2 * SEGMENT_BYTES)
    assert [old.exists(), older.exists()] == [True, True], "there was rolling footage again"
    fill(full)
    full.space.make_room(SEGMENT_BYTES)
    assert [old.exists(), older.exists()] == [True, False], "the oldest first"
    assert full.left() == texts(shown), "an export is a copy: it goes before the only picture of an incident"
    assert rolling[0] not in shown


def test_what_was_exported_within_the_hour_outlasts_incident_footage_but_not_the_recording(full: Store) -> None:
    shown = full.record(2, START.later(3 * DAY_S))
    full.incident("inc-1", shown[0], shown[1])
    fresh = export(full, "fresh", HOUR_S / 2)
    fill(full)
    full.space.make_room(2 * SEGMENT_BYTES)
    assert (full.left(), fresh.exists()) == ([], True)
    fill(full)
    full.space.make_room(SEGMENT_BYTES)
    assert not fresh.exists()


def test_held_originals_stay_and_exports_go(full: Store) -> None:
    held = full.record(2)
    full.hold("NOTTS-1", *held)
    export(full, "copy", 2 * HOUR_S)
    fill(full)
    full.space.make_room(SEGMENT_BYTES)
    assert (full.left(), left(full)) == (texts(held), [])
    fill(full)
    with pytest.raises(HeldOnly):
        full.space.make_room(SEGMENT_BYTES)
    assert full.left() == texts(held)


def wait_for_uploads(store: Store, *files: Path) -> None:
    """Uploads wait for these files."""
    store.wanted = frozenset(files)


def test_what_an_upload_waits_for_is_removed_neither_for_its_age_nor_for_room(full: Store) -> None:
    shown = full.record(2)
    full.incident("inc-1", shown[0], shown[1], clip_bytes=500)
    clip = full.folder / "incidents" / "inc-1" / "clip.mp4"
    sent, spare = export(full, "sent", 2 * HOUR_S), export(full, "spare", 2 * HOUR_S)
    zipped = full.folder / "exports" / "case.zip"
    zipped.write_bytes(b"zip")
    wait_for_uploads(full, clip, sent / "clip.mp4", zipped)
    fill(full)
    with pytest.raises(HeldOnly, match="held or on its way out"):
        full.space.make_room(10 * SEGMENT_BYTES)
    assert (clip.exists(), sent.exists(), zipped.exists(), spare.exists()) == (True, True, True, False)
    full.present = full.present.later(60 * DAY_S)
    full.space.expire()
    assert (clip.exists(), sent.exists(), zipped.exists()) == (True, True, True)
    wait_for_uploads(full)
    full.space.expire()
    assert (clip.exists(), sent.exists()) == (False, False), "what is over protects nothing"


def test_while_nobody_knows_what_is_sent_no_export_goes_and_footage_is_recorded(full: Store) -> None:
    full.record(2)
    kept = export(full, "kept", 2 * HOUR_S)
    full.wanted = OSError(5, "Input/output error")
    fill(full)
    full.space.make_room(SEGMENT_BYTES)
    full.present = full.present.later(30 * DAY_S)
    full.space.expire()
    assert kept.exists()
    assert ("trouble", "uploads-unreadable") in full.troubles
    wait_for_uploads(full)
    full.space.expire()
    assert not kept.exists()
    assert full.troubles[-1] == ("trouble-over", "uploads-unreadable")


def test_while_holds_are_damaged_no_export_goes(full: Store) -> None:
    kept = export(full, "kept", 2 * HOUR_S)
    (full.folder / "holds").mkdir()
    (full.folder / "holds" / "torn.json").write_text("{", encoding="utf-8")
    full.present = full.present.later(30 * DAY_S)
    full.space.expire()
    assert kept.exists()


def test_one_that_is_being_written_stays_and_one_that_was_left_is_cleared(full: Store) -> None:
    (full.folder / "exports" / ".left.part").mkdir(parents=True)
    (full.folder / "exports" / ".left.part" / "clip.mp4").write_bytes(b"e" * 5000)
    with writing(full.folder, "case-7", full.present) as folder:
        (folder / "clip.mp4").write_bytes(b"e" * 2_000_000)
        fill(full)
        full.space.make_room(4000)
        full.space.expire()
        assert full.space.facts()["exportsMb"] == 2
        assert not (full.folder / "exports" / ".left.part").exists()
    assert left(full) == ["case-7"]


def test_one_that_cannot_be_removed_is_told_once_and_stops_neither_recording_nor_the_others(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that root put there."""
    stuck, other = export(full, "stuck", 3 * DAY_S), export(full, "other", 2 * DAY_S)
    remove = Export.remove

    def refuse(self: Export) -> None:
        if self.path == stuck:
            raise PermissionError(13, "Permission denied")
        remove(self)

    monkeypatch.setattr(exports_module.Export, "remove", refuse)
    fill(full)
    full.space.make_room(SEGMENT_BYTES)
    assert [stuck.exists(), other.exists()] == [True, False]
    full.present = full.present.later(30 * DAY_S)
    for _ in range(3):
        full.space.expire()
    assert full.troubles == [("trouble", "exports-stuck")]
    monkeypatch.setattr(exports_module.Export, "remove", remove)
    full.space.expire()
    assert not stuck.exists()
    assert full.troubles[-1] == ("trouble-over", "exports-stuck")


# --- how old an export is --------------------------------------------------------------------------------------------


def of(made: Moment | None, tmp_path: Path) -> Export:
    return Export(tmp_path / "exports" / "case", made, START.wall.timestamp(), 1000)


def ages(now: Moment, *spans: BootSpan) -> Ages:
    return Ages(spans, now)


def test_a_wall_clock_that_jumped_makes_no_export_older(tmp_path: Path) -> None:
    now = START.later(2 * HOUR_S)
    wrong = replace(now, wall=now.wall.replace(year=2040))
    assert age_s(of(START, tmp_path), ages(wrong), wrong) == pytest.approx(2 * HOUR_S)


def test_one_of_an_earlier_boot_without_footage_is_as_old_as_both_clocks_say(tmp_path: Path) -> None:
    """Of a boot with a dead camera: by footage alone it would be older than the oldest segment."""
    now = replace(START.later(30 * DAY_S), quality=ClockQuality.SYNCED)
    made = replace(now.later(-DAY_S), boot_id=EARLIER_BOOT, monotonic_s=50.0, quality=ClockQuality.SYNCED)
    oldest = BootSpan(boot_of(START), START.monotonic_s, START.monotonic_s + 60, START.monotonic_s)
    assert age_s(of(made, tmp_path), ages(now, oldest), now) == pytest.approx(DAY_S)


def test_one_that_does_not_say_its_time_ages_by_its_file_system_once_the_clock_is_known(tmp_path: Path) -> None:
    now = replace(START.later(DAY_S), quality=ClockQuality.SYNCED)
    assert age_s(of(None, tmp_path), ages(now), now) == pytest.approx(DAY_S)
    unknown = replace(now, quality=ClockQuality.UNSYNCED)
    assert age_s(of(None, tmp_path), ages(unknown), unknown) == 0


def test_one_of_an_earlier_boot_may_be_fresh_for_an_hour_from_boot(tmp_path: Path) -> None:
    made = replace(START, boot_id=EARLIER_BOOT)
    assert is_fresh(of(made, tmp_path), replace(START, monotonic_s=FRESH_S - 1))
    assert not is_fresh(of(made, tmp_path), replace(START, monotonic_s=FRESH_S + 1))


def test_exports_that_cannot_be_read_are_left_alone_and_told(tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("no folder", encoding="utf-8")
    found = Exports(tmp_path)
    found.look(START, frozenset())
    assert (found.spare_bytes, found.fresh_bytes, found.wanted_bytes) == (0, 0, 0)
    assert found.trouble == f"{tmp_path / 'exports'}: Not a directory"
