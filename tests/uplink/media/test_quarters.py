"""An upload's way is told with its alert: at its start and in quarters, and never in a rush of revisions."""

from __future__ import annotations

from agent.uplink.media.quarters import TOLD_EVERY_S, Quarters


def test_a_long_upload_is_told_at_its_start_and_at_each_quarter() -> None:
    quarters = Quarters()
    told = [quarters.to_tell("up-1", mb, 100, 60.0 * mb) for mb in range(101)]
    assert {mb: percent for mb, percent in enumerate(told) if percent is not None} == {0: 0, 25: 25, 50: 50, 75: 75}


def test_quarters_that_come_in_a_rush_are_told_as_one() -> None:
    quarters = Quarters()
    assert quarters.to_tell("up-1", 0, None, 0.0) == 0
    assert [quarters.to_tell("up-1", mb, 100, TOLD_EVERY_S - 0.1) for mb in (25, 50)] == [None, None]
    assert quarters.to_tell("up-1", 60, 100, TOLD_EVERY_S) == 50


def test_an_upload_that_begins_anew_at_its_first_byte_is_told_again_only_once_it_is_further() -> None:
    quarters = Quarters()
    assert quarters.to_tell("up-1", 60, 100, 0.0) == 50
    assert [quarters.to_tell("up-1", mb, 100, 100.0) for mb in (0, 25, 74)] == [None, None, None]
    assert quarters.to_tell("up-1", 75, 100, 100.0) == 75


def test_each_upload_has_quarters_of_its_own_and_one_that_is_over_may_begin_again() -> None:
    quarters = Quarters()
    assert [quarters.to_tell(name, 0, 100, 0.0) for name in ("up-1", "up-2", "up-1")] == [0, 0, None]
    quarters.over("up-1")
    assert quarters.to_tell("up-1", 0, 100, 1.0) == 0
