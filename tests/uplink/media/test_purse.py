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


def purse_at(folder: Path, clock: LabClock) -> Purse:
    purse = Purse(PLAN, folder / "media" / "data-plan.json", clock)
    purse.load()
    return purse


def test_what_was_spent_before_the_disk_answered_is_added(tmp_path: Path) -> None:
    clock = LabClock()
    first = purse_at(tmp_path, clock)
    first.spend(1_000, for_help=True)
    first.keep()
    second = Purse(PLAN, tmp_path / "media" / "data-plan.json", clock)
    second.spend(500, for_help=False)
    second.keep()  # too early: nothing is written over what was not read
    second.load()
    second.keep()
    assert dict(purse_at(tmp_path, clock).facts()) == dict(second.facts())
    assert (second.facts()["mediaKb"], second.facts()["helpMediaKb"]) == (1.5, 1.0)


def test_what_was_spent_outlives_a_restart(tmp_path: Path) -> None:
    clock = LabClock()
    first = purse_at(tmp_path, clock)
    first.spend(85_000, for_help=False)
    first.keep()
    second = purse_at(tmp_path, clock)
    assert second.facts()["mediaKb"] == 85.0
    assert (second.may(Cargo.FILM, for_help=False), second.may(Cargo.STILL, for_help=False)) == (False, True)
    assert second.may(Cargo.FILM, for_help=True)


def test_a_new_month_begins_with_nothing(tmp_path: Path) -> None:
    clock = LabClock(datetime(2026, 11, 30, 12, tzinfo=UTC))
    purse = purse_at(tmp_path, clock)
    purse.spend(200_000, for_help=False)
    assert purse.facts()["allowed"] == "nothing"
    clock.pass_s(DAY_S)
    facts = purse.facts()
    assert (facts["month"], facts["usedKb"], facts["allowed"]) == ("2026-12", 0.0, "all")


def test_a_clock_that_was_never_set_begins_no_month(tmp_path: Path) -> None:
    clock = LabClock()
    first = purse_at(tmp_path, clock)
    first.spend(200_000, for_help=False)
    first.keep()
    clock._moment = replace(clock.now(), wall=datetime(1970, 1, 1, tzinfo=UTC), quality=ClockQuality.UNSYNCED)
    second = purse_at(tmp_path, clock)
    assert second.allowed is Allowance.NOTHING
    assert second.facts()["forecastKb"] is None


def test_alerts_and_heartbeats_are_counted_as_they_leave(tmp_path: Path) -> None:
    sent = 500
    clock = LabClock()
    purse = Purse(PLAN, tmp_path / "data-plan.json", clock, signals_bytes=lambda: sent)
    sent += 1_200
    assert (purse.facts()["usedKb"], purse.facts()["mediaKb"]) == (1.2, 0.0)


def test_a_damaged_account_is_begun_anew_and_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "media" / "data-plan.json"
    file.parent.mkdir()
    file.write_text("{", encoding="utf-8")
    purse = purse_at(tmp_path, LabClock())
    assert purse.facts()["usedKb"] == 0.0
    file.unlink()
    file.mkdir()  # cannot be replaced by a file
    purse.spend(1_000, for_help=False)
    purse.keep()
    assert purse.facts()["mediaKb"] == 1.0
    file.rmdir()
    purse.keep()
    assert purse_at(tmp_path, LabClock()).facts()["mediaKb"] == 1.0
