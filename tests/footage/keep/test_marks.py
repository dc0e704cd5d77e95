"""The class of each segment follows what protects it, and costs what changed, not what there is."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from agent.footage.keep.retention import StorageClass
from agent.footage.store.index import FootageIndex, Segment
from agent.footage.store.segments import SegmentName
from agent.footage.store.stretch import Stretch
from tests.footage.film import START

if TYPE_CHECKING:
    from pathlib import Path

BOOT = SegmentName.of(START, 10).start.boot_id
BEGIN_S = START.monotonic_s


def table(folder: Path, count: int) -> FootageIndex:
    """Segments of ten seconds, a second missing after each."""
    (folder / "segments").mkdir(parents=True)
    index = FootageIndex(folder / "index.sqlite", folder / "segments")
    for n in range(count):
        add(index, n)
    return index


def add(index: FootageIndex, n: int) -> None:
    name = SegmentName.of(START.later(10.0 * n), 10)
    index.opened(name)
    index.ended(name, name.start.monotonic_s + 9, 90, n + 1)


def oldest(index: FootageIndex) -> dict[StorageClass, int | None]:
    found = {kept_for: index.oldest(kept_for) for kept_for in StorageClass}
    return {kept_for: None if segment is None else segment.size_bytes - 1 for kept_for, segment in found.items()}


def test_whatever_is_placed_and_released_each_segment_has_the_class_of_what_touches_it(tmp_path: Path) -> None:
    dice, index, count = random.Random(4), table(tmp_path, 40), 40
    kept: dict[StorageClass, frozenset[Stretch]] = {}
    for _ in range(300):
        match dice.randrange(4):
            case 0 | 1:
                kept_for = dice.choice([StorageClass.INCIDENT, StorageClass.HELD])
                start_s = BEGIN_S + dice.uniform(-20, 10 * count + 40)
                stretch = Stretch(dice.choice([BOOT, BOOT, "ffffffff"]), start_s, start_s + dice.uniform(0, 60))
                kept[kept_for] = kept.get(kept_for, frozenset()) | {stretch}
            case 2:
                kept = {of: frozenset(one for one in ones if dice.random() < 0.7) for of, ones in kept.items()}
            case 3:
                add(index, count)
                count += 1
                goes = dice.choice(index.segments())
                index.forget(goes)
        index.protect(kept)

        def class_of(segment: Segment) -> StorageClass:
            touching = [of for of, ones in kept.items() for one in ones if one.touches(segment.name, segment.end_s)]  # noqa: B023 - called at once
            return max(touching, default=StorageClass.ROLLING)

        segments = index.segments()
        for kept_for in StorageClass:
            of_class = [segment for segment in segments if class_of(segment) is kept_for]
            assert index.bytes_of(kept_for) == sum(segment.size_bytes for segment in of_class)
            assert index.oldest(kept_for) == (of_class[0] if of_class else None)
    index.close()


def test_eased_footage_is_rolling_until_what_protects_it_changes(tmp_path: Path) -> None:
    index = table(tmp_path, 4)
    incident = Stretch(BOOT, BEGIN_S + 1, BEGIN_S + 15)
    index.protect({StorageClass.INCIDENT: frozenset({incident})})
    assert oldest(index) == {StorageClass.ROLLING: 2, StorageClass.INCIDENT: 0, StorageClass.HELD: None}
    first = index.oldest(StorageClass.INCIDENT)
    assert first is not None
    index.ease(first)
    assert oldest(index) == {StorageClass.ROLLING: 0, StorageClass.INCIDENT: 1, StorageClass.HELD: None}
    held = Stretch(BOOT, BEGIN_S + 2, BEGIN_S + 3)
    index.protect({StorageClass.INCIDENT: frozenset({incident}), StorageClass.HELD: frozenset({held})})
    assert oldest(index) == {StorageClass.ROLLING: 2, StorageClass.INCIDENT: 1, StorageClass.HELD: 0}
    index.close()


def steps_of_one_segment(folder: Path, count: int) -> int:
    """How much work the table does for one more segment: steps of SQLite's machine, the same on every computer."""
    index, steps = table(folder, count), 0
    held = frozenset({Stretch(BOOT, BEGIN_S, BEGIN_S + 10 * count / 2)})
    incidents = frozenset(Stretch(BOOT, BEGIN_S + 10 * (count - n), BEGIN_S + 10 * (count - n)) for n in range(5))
    kept = {StorageClass.HELD: held, StorageClass.INCIDENT: incidents}
    index.protect(kept)
    for kept_for in StorageClass:
        index.oldest(kept_for)

    def count_a_step() -> int:
        nonlocal steps
        steps += 1
        return 0

    index._db.set_progress_handler(count_a_step, 1)
    index.settle()
    index.protect(kept)
    for kept_for in StorageClass:
        index.bytes_of(kept_for)
        segment = index.oldest(kept_for)
        if kept_for is StorageClass.ROLLING:
            assert segment is not None
            index.forget(segment)
    add(index, count)
    index.covering(BOOT, BEGIN_S + 5 * count, BEGIN_S + 5 * count + 20)
    index.bytes_per_s(10)
    index._db.set_progress_handler(None, 0)
    index.close()
    return steps


def test_one_more_segment_costs_the_same_after_a_minute_and_after_a_day(tmp_path: Path) -> None:
    few, many = (steps_of_one_segment(tmp_path / str(count), count) for count in (100, 4000))
    assert few > 100, "the steps are counted"
    assert many < few * 1.2
