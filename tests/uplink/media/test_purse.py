"""The account of the data plan: kept over restarts, begun anew with the month, never in the way of a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.clock import ClockQuality
from agent.config.sending import DataPlanSettings
from agent.uplink.media.plan import Allowance, Cargo
from agent.uplink.media.purse import Purse
from tests.uplink.lab import LabClock

if TYPE_CHECKING:
    from pathlib import Path

PLAN = DataPlanSettings(kb_per_month=100)
DAY_S = 86_400


class Life:
    """One life of a unit: what its connections carry, and its account of it."""

    def __init__(self, folder: Path, clock: LabClock) -> None:
        self.carried_bytes = 0
        self.purse = Purse(PLAN, folder / "media" / "data-plan.json", clock, carried_bytes=lambda: self.carried_bytes)

    def send(self, size_bytes: int, *, for_help: bool = False) -> None:
        """Send a film, whose way takes a tenth more than what it is reckoned with."""
        self.purse.spend(size_bytes, for_help=for_help)
        self.carried_bytes += round(size_bytes * 1.1)


def life_at(folder: Path, clock: LabClock) -> Life:
    life = Life(folder, clock)
    life.purse.load()
    return life


def test_what_was_used_before_the_disk_answered_is_added(tmp_path: Path) -> None:
    clock = LabClock()
    first = life_at(tmp_path, clock)
    first.send(1_000, for_help=True)
    first.purse.keep()
    second = Life(tmp_path, clock)
    second.send(500)
    second.purse.keep()  # too early: nothing is written over what was not read
    second.purse.load()
    second.purse.keep()
    facts = second.purse.facts()
    assert dict(life_at(tmp_path, clock).purse.facts()) == dict(facts)
    assert (facts["usedKb"], facts["mediaKb"], facts["helpMediaKb"]) == (1.6, 1.6, 1.1)  # 1.65, 1.575, 1.05


def test_what_was_used_outlives_a_restart(tmp_path: Path) -> None:
    clock = LabClock()
    first = life_at(tmp_path, clock)
    first.send(75_000)
    first.purse.keep()
    second = life_at(tmp_path, clock).purse
    assert second.facts()["usedKb"] == 82.5
    assert (second.may(Cargo.FILM, for_help=False), second.may(Cargo.STILL, for_help=False)) == (False, True)
    assert second.may(Cargo.FILM, for_help=True)


def test_a_new_month_begins_with_nothing(tmp_path: Path) -> None:
    clock = LabClock(datetime(2026, 11, 30, 12, tzinfo=UTC))
    life = life_at(tmp_path, clock)
    life.send(200_000)
    assert life.purse.facts()["allowed"] == "nothing"
    clock.pass_s(DAY_S)
    facts = life.purse.facts()
    assert (facts["month"], facts["usedKb"], facts["allowed"]) == ("2026-12", 0.0, "all")


def test_a_clock_that_was_never_set_begins_no_month(tmp_path: Path) -> None:
    clock = LabClock()
    first = life_at(tmp_path, clock)
    first.send(200_000)
    first.purse.keep()
    clock._moment = replace(clock.now(), wall=datetime(1970, 1, 1, tzinfo=UTC), quality=ClockQuality.UNSYNCED)
    second = life_at(tmp_path, clock).purse
    assert second.allowed is Allowance.NOTHING
    assert second.facts()["forecastKb"] is None


def test_all_that_is_carried_is_used_whoever_sent_it(tmp_path: Path) -> None:
    life = Life(tmp_path, LabClock())
    life.carried_bytes += 1_200
    assert (life.purse.facts()["usedKb"], life.purse.facts()["mediaKb"]) == (1.2, 0.0)
    life.carried_bytes += 800
    assert life.purse.facts()["usedKb"] == 2.0


def test_a_film_that_never_left_is_not_used(tmp_path: Path) -> None:
    life = life_at(tmp_path, LabClock())
    life.purse.spend(500_000, for_help=False)
    assert life.purse.allowed is Allowance.ALL


def test_a_damaged_account_is_begun_anew_and_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "media" / "data-plan.json"
    file.parent.mkdir()
    file.write_text("{", encoding="utf-8")
    life = life_at(tmp_path, LabClock())
    assert life.purse.facts()["usedKb"] == 0.0
    file.unlink()
    file.mkdir()  # cannot be replaced by a file
    life.send(1_000)
    life.purse.keep()
    assert life.purse.facts()["usedKb"] == 1.1
    file.rmdir()
    life.purse.keep()
    assert life_at(tmp_path, LabClock()).purse.facts()["usedKb"] == 1.1
