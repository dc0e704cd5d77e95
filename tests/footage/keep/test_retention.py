"""The order in which footage goes, tried on any disk: rolling, old exports, incident, new exports; held never."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from agent.config.filming import FootageSettings
from agent.footage.keep.retention import DAY_S, Retention, Stands, Step, StorageClass, next_step

SIZES = st.lists(st.integers(1, 50), max_size=20)


@dataclass
class Disk:
    """Pieces of footage by class, the oldest first, and what else fills the disk."""

    rolling: list[int]
    incident: list[int]
    held: list[int]
    free: int
    spare_exports: list[int] = field(default_factory=list)
    fresh_exports: list[int] = field(default_factory=list)
    wanted_exports: list[int] = field(default_factory=list)

    @property
    def stands(self) -> Stands:
        exports = sum(self.spare_exports), sum(self.fresh_exports), sum(self.wanted_exports)
        return Stands(sum(self.rolling), sum(self.incident), sum(self.held), self.free, *exports)

    def do(self, step: Step) -> None:
        """As `agent.footage.keep.space` does it."""
        match step:
            case Step.EASE_INCIDENT:
                self.rolling.append(self.incident.pop(0))
            case Step.REMOVE_ROLLING:
                self.free += self.rolling.pop(0)
            case Step.REMOVE_EXPORT:
                self.free += (self.spare_exports or self.fresh_exports).pop(0)
            case Step.REMOVE_INCIDENT:
                self.free += self.incident.pop(0)


DISKS = st.builds(Disk, SIZES, SIZES, SIZES, st.integers(0, 500), SIZES, SIZES, SIZES)
BOUNDS = st.builds(
    Retention, st.integers(1, 500), st.integers(1, 500), st.integers(0, 300), st.just(DAY_S), st.just(DAY_S)
)


@given(DISKS, BOUNDS, st.integers(1, 60))
def test_room_is_made_in_one_order_and_never_at_the_cost_of_what_is_held(
    disk: Disk, bounds: Retention, needed: int
) -> None:
    held, incident, wanted = list(disk.held), list(disk.incident), list(disk.wanted_exports)
    taken: list[Step] = []
    while (step := next_step(disk.stands, bounds, needed)) not in {Step.NOTHING, Step.STOP_HELD_ONLY, Step.STOP_FULL}:
        if step is Step.REMOVE_INCIDENT:
            assert not disk.rolling, "incident footage goes only when no rolling footage is left"
            assert not disk.spare_exports, "a copy goes before the only picture of an incident"
        if step is Step.REMOVE_EXPORT:
            assert not disk.rolling
            assert disk.spare_exports or not disk.incident, "what was just made is about to be fetched"
        if step is Step.REMOVE_ROLLING:
            assert disk.rolling
        disk.do(step)
        taken.append(step)
        assert len(taken) <= 100, "each step leaves less to do"
    assert (disk.held, disk.wanted_exports) == (held, wanted)
    assert disk.incident == incident[len(incident) - len(disk.incident) :], "the oldest incident footage went first"
    assert sum(disk.incident) <= bounds.incident_max_bytes
    fits = disk.free >= bounds.reserve_bytes + needed
    assert (step is Step.NOTHING) == fits, "the reserve is never used, and nothing else stops the recording"
    if step is Step.NOTHING:
        assert sum(disk.rolling) + needed <= bounds.rolling_max_bytes or not disk.rolling
    else:
        assert not disk.rolling
        assert not disk.incident
        assert not disk.spare_exports
        assert not disk.fresh_exports
        assert (step is Step.STOP_HELD_ONLY) == bool(held or wanted)


@given(DISKS, BOUNDS, st.integers(1, 60))
def test_no_more_goes_than_has_to(disk: Disk, bounds: Retention, needed: int) -> None:
    while (step := next_step(disk.stands, bounds, needed)) in {Step.EASE_INCIDENT, Step.REMOVE_ROLLING}:
        before = disk.stands
        disk.do(step)
        if step is Step.REMOVE_ROLLING:
            lacking = before.free < bounds.reserve_bytes + needed
            assert lacking or before.rolling + needed > bounds.rolling_max_bytes
        else:
            assert before.incident > bounds.incident_max_bytes


def test_the_bounds_are_those_of_the_configuration() -> None:
    settings = FootageSettings(
        keep_days=7, incident_keep_days=30, export_keep_days=2, rolling_max_mb=100, incident_max_mb=50, reserve_mb=20
    )
    bounds = Retention.of(settings)
    assert bounds == Retention(100_000_000, 50_000_000, 20_000_000, 7 * DAY_S, 30 * DAY_S, 2 * DAY_S)
    assert [bounds.age_limit_s(kept_for) for kept_for in StorageClass] == [7 * DAY_S, 30 * DAY_S, None]
    assert replace(bounds, keep_s=1).age_limit_s(StorageClass.ROLLING) == 1
