"""When a new version has shown enough, and when too little. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.status_file import UnitStatus
from agent.update.trial import Bad, Good, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE = UnitStatus(
    "1.0.0", 1, 0.0, armed=True, proofs=500, open_calls=0, connected=True, working=("recorder", "listener")
)
NEW = replace(BEFORE, version="2.0.0", pid=2)


def verdict(
    shown: Callable[[float], UnitStatus | None], before: UnitStatus | None = BEFORE
) -> tuple[Good | Bad, float]:
    """The verdict on a daemon that shows this after so many seconds, and when it came."""
    trial = Trial("2.0.0", before, began_s=1000.0)
    for gone_s in range(200):
        if (found := trial.look(shown(float(gone_s)), 1000.0 + gone_s)) is not None:
            return found, gone_s
    raise AssertionError


def alive(at_s: float, status: UnitStatus = NEW) -> UnitStatus:
    return replace(status, written_s=1000.0 + at_s, proofs=int(at_s))


def test_steady_for_twenty_seconds_with_all_that_worked_before_it_stays() -> None:
    assert verdict(lambda at_s: alive(at_s) if at_s >= 4 else None) == (Good(), 24)


def test_until_the_old_version_has_gone_its_word_counts_for_nothing() -> None:
    assert verdict(lambda at_s: alive(at_s, BEFORE) if at_s < 8 else alive(at_s)) == (Good(), 28)


def test_it_may_take_a_while_until_the_link_and_the_helpers_are_there() -> None:
    def shown(at_s: float) -> UnitStatus:
        return alive(at_s, NEW if at_s > 60 else replace(NEW, connected=False, working=("recorder",)))

    assert verdict(shown) == (Good(), 61)


def test_what_the_old_version_did_not_do_is_not_asked_of_the_new_one() -> None:
    poor = replace(BEFORE, connected=False, working=())
    assert verdict(lambda at_s: alive(at_s, replace(NEW, connected=False, working=())), poor) == (Good(), 20)
    assert verdict(lambda at_s: alive(at_s, replace(NEW, connected=False)), None) == (Good(), 20)


def test_one_that_never_comes_up_goes() -> None:
    assert verdict(lambda _: None) == (Bad("it was not armed within 45 s"), 46)


def test_one_that_lives_and_cannot_read_its_inputs_goes() -> None:
    assert verdict(lambda at_s: alive(at_s, replace(NEW, armed=False))) == (Bad("it was not armed within 45 s"), 46)


def test_one_that_falls_silent_goes() -> None:
    assert verdict(lambda at_s: alive(min(at_s, 7.0))) == (Bad("it ended or hung after its start"), 28)


def test_one_that_ends_and_does_not_come_back_goes() -> None:
    found = verdict(lambda at_s: alive(at_s) if at_s < 7 else None)
    assert found == (Bad("it ended or hung after its start"), 27)


def test_a_board_that_stalls_for_ten_seconds_is_no_fault_of_the_version() -> None:
    assert verdict(lambda at_s: alive(5.0 if 5 < at_s < 16 else at_s)) == (Good(), 20)


def test_one_that_is_started_again_goes() -> None:
    assert verdict(lambda at_s: alive(at_s, NEW if at_s < 9 else replace(NEW, pid=3))) == (
        Bad("it ended and had to be started again"),
        9,
    )


def test_one_that_proves_nothing_goes_though_it_shows_itself() -> None:
    found, _ = verdict(lambda at_s: replace(alive(at_s), proofs=3))
    assert found == Bad("it proved its work too seldom", by_chance=True)


def test_every_verdict_leaves_time_for_the_way_back() -> None:
    for status in (replace(NEW, connected=False), replace(NEW, working=("recorder",)), replace(NEW, working=())):
        found, came_s = verdict(lambda at_s, status=status: alive(at_s, status))  # type: ignore[misc]
        assert isinstance(found, Bad)
        assert found.by_chance, "the broker may have been away, the disk may have stalled"
        assert came_s <= 95, "25 s of the 120 are for stopping this version and starting the old one"
