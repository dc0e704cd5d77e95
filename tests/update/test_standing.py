"""What the control room learns of an update: each outcome, what waits and what does not work, each with its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import agent
from agent.clock import ClockQuality, Moment
from agent.signals import FaultCleared, Faulted
from agent.update.bundle import BundleRefused
from agent.update.room import UpdateRoom
from agent.update.standing import FILE_NAME, Standing
from tests.update.bench import BEGAN, NEW, Bench, Does

if TYPE_CHECKING:
    from pathlib import Path

    from agent.signals import Signal

DAY_S = 86_400.0


class Watched:
    """A bench, and the daemon's room that watches its updates; it is the room's clock as well."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.signals: list[Signal] = []
        self.room = UpdateRoom(self.bench.places.state, self, self.signals.append, folder / "slots/a")

    def now(self) -> Moment:
        return self.at(self.bench.now_s)

    def at(self, monotonic_s: float) -> Moment:
        return Moment(monotonic_s, datetime.fromtimestamp(BEGAN + monotonic_s, UTC), "boot-1", ClockQuality.SYNCED)

    async def told(self) -> list[str]:
        """What is reported when the room looks: a fault's code, or the code of one that is over with a minus."""
        self.signals.clear()
        await self.room.look()
        return [
            each.code if isinstance(each, Faulted) else f"-{each.code}"
            for each in self.signals
            if isinstance(each, Faulted | FaultCleared)
        ]

    @property
    def facts(self) -> dict[str, object]:
        return dict(self.room.facts()["update"])

    def wait(self, seconds: float) -> None:
        """Time that nobody looks at."""
        self.bench.now_s += seconds
        self.bench.daemon.live()


@pytest.fixture
def unit(memory: Path) -> Watched:
    return Watched(memory)


async def test_a_version_that_was_taken_is_told_and_no_fault(unit: Watched) -> None:
    unit.bench.bring()
    unit.bench.update()
    assert await unit.told() == []
    last = unit.facts["last"]
    assert isinstance(last, dict)
    assert (last["result"], last["version"]) == ("taken", NEW)
    assert unit.facts["slot"] == "a"


@pytest.mark.parametrize("does", [Does.NEVER_STARTS, Does.HANGS, Does.CRASHES])
async def test_a_version_that_was_taken_back_is_a_fault_until_the_next_is_taken(unit: Watched, does: Does) -> None:
    unit.bench.bring(does=does)
    unit.bench.update()
    assert await unit.told() == ["taken-back"]
    (fault,) = (each for each in unit.signals if isinstance(each, Faulted))
    assert fault.text.startswith(f"Version {NEW} was tried and did not stay (")
    unit.wait(30 * DAY_S)
    assert await unit.told() == []
    unit.bench.bring("7.0.1")
    unit.bench.update()
    assert await unit.told() == ["-taken-back"]


async def test_a_broker_that_was_away_is_a_fault_until_the_second_trial(unit: Watched) -> None:
    unit.bench.bring(does=Does.NO_LINK)
    unit.bench.update()
    unit.bench.pass_time(5)
    assert await unit.told() == ["taken-back"]
    unit.bench.behaviours[NEW] = Does.WORKS
    unit.bench.update()
    assert await unit.told() == ["-taken-back"]


async def test_what_others_signed_is_a_fault_for_a_day_and_stays_in_the_heartbeat(unit: Watched) -> None:
    unit.bench.bring(key=Ed25519PrivateKey.generate())
    unit.bench.update()
    assert await unit.told() == ["refused"]
    unit.wait(DAY_S - 60)
    assert await unit.told() == []
    unit.wait(120)
    assert await unit.told() == ["-refused"]
    last = unit.facts["last"]
    assert isinstance(last, dict)
    assert last["result"] == "refused"
    assert "version" not in last, "nobody signed what it says"


async def test_another_bundle_that_is_refused_is_another_fault(unit: Watched) -> None:
    unit.bench.bring(key=Ed25519PrivateKey.generate())
    unit.bench.update()
    assert await unit.told() == ["refused"]
    unit.bench.bring("6.0.0").write_bytes(b"no bundle at all\n")
    unit.wait(120)
    unit.bench.update()
    assert await unit.told() == ["-refused", "refused"]


async def test_a_bundle_of_the_version_in_use_is_no_fault(unit: Watched) -> None:
    unit.bench.bring(agent.__version__)
    unit.bench.update()
    assert await unit.told() == []
    last = unit.facts["last"]
    assert isinstance(last, dict)
    assert last["result"] == "passed-over"


async def test_a_version_that_waits_is_told_at_once_and_is_a_fault_after_a_day(unit: Watched) -> None:
    unit.bench.bring()
    unit.bench.daemon.open_calls = 1
    unit.bench.pass_time(2)
    unit.bench.update()
    assert await unit.told() == []
    waits = unit.facts["waits"]
    assert isinstance(waits, dict)
    assert (waits["version"], waits["why"]) == (NEW, "a call is open")
    unit.wait(DAY_S)
    unit.bench.update()
    assert await unit.told() == ["waits"]
    unit.bench.daemon.open_calls = 0
    unit.bench.pass_time(2)
    unit.bench.update()
    assert await unit.told() == ["-waits"]
    assert "waits" not in unit.facts


async def test_a_bundle_that_was_taken_away_waits_no_more(unit: Watched) -> None:
    bundle = unit.bench.bring()
    unit.bench.daemon.open_calls = 1
    unit.bench.pass_time(2)
    unit.bench.update()
    bundle.unlink()
    unit.bench.update()
    await unit.told()
    assert "waits" not in unit.facts


async def test_a_power_cut_in_a_trial_is_told_by_the_next_run(unit: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(seconds: float) -> None:
        del seconds
        raise KeyboardInterrupt

    unit.bench.bring()
    with monkeypatch.context() as patch:
        patch.setattr(unit.bench, "pass_time", power_cut)
        with pytest.raises(KeyboardInterrupt):
            unit.bench.update()
    assert await unit.told() == []
    assert unit.facts["trial"] == NEW
    unit.bench.slots.take_back()  # as settle-slot does at the next boot, and then it asks for a restart
    unit.bench.places.restart.write_text("")
    unit.bench.pass_time(10)
    unit.bench.daemon.open_calls = 1
    unit.bench.pass_time(2)
    unit.bench.update()
    assert await unit.told() == ["broken-off"]
    unit.bench.daemon.open_calls = 0
    unit.bench.pass_time(2)
    unit.bench.update()
    assert await unit.told() == ["-broken-off"]


async def test_a_unit_without_a_key_is_a_fault_until_it_has_one(unit: Watched) -> None:
    unit.bench.bring()
    key = unit.bench.places.keys / "release.pem"
    content = key.read_bytes()
    key.unlink()
    with pytest.raises(BundleRefused):
        unit.bench.update()
    assert await unit.told() == ["unusable"]
    key.write_bytes(content)
    unit.bench.update()
    assert await unit.told() == ["-unusable"]


async def test_a_new_life_of_the_daemon_tells_a_fault_that_lasts_anew(unit: Watched) -> None:
    unit.bench.bring(does=Does.HANGS)
    unit.bench.update()
    assert await unit.told() == ["taken-back"]
    unit.room = UpdateRoom(unit.bench.places.state, unit, unit.signals.append)
    assert await unit.told() == ["taken-back"]
    assert "slot" not in unit.facts, "it runs from no slot here"


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"[]", b'{"last": 1}', b'{"last": {"result": "won", "bundle": "", "text": "", "at": "2026-11-29"}}',
     json.dumps({"unusable": {"since": "2026-11-29T00:00:00", "why": "a time without a zone"}}).encode(),
     json.dumps({"unusable": {"since": "2026-11-29T00:00:00Z", "why": "w" * 20_000}}).encode()],
)  # fmt: skip
async def test_what_is_not_understood_tells_nothing_and_breaks_nothing(unit: Watched, written: bytes) -> None:
    (unit.bench.places.state / FILE_NAME).write_bytes(written)
    assert await unit.told() == []
    assert Standing.read(unit.bench.places.state) == Standing()
    unit.bench.bring()
    assert unit.bench.update()
    assert await unit.told() == []
    assert "last" in unit.facts


async def test_a_folder_that_cannot_be_read_changes_nothing(unit: Watched, memory: Path) -> None:
    unit.bench.bring(does=Does.HANGS)
    unit.bench.update()
    assert await unit.told() == ["taken-back"]
    file = unit.bench.places.state / FILE_NAME
    file.rename(memory / "aside")
    file.mkdir()
    assert await unit.told() == []
    assert "last" in unit.facts
    file.rmdir()
    (memory / "aside").rename(file)
    assert await unit.told() == []


def test_the_card_is_not_written_while_nothing_changes(unit: Watched) -> None:
    unit.bench.bring()
    unit.bench.daemon.open_calls = 1
    unit.bench.pass_time(2)
    unit.bench.update()
    first = (unit.bench.places.state / FILE_NAME).stat()
    unit.wait(900)
    unit.bench.update()
    again = (unit.bench.places.state / FILE_NAME).stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert first.st_mode & 0o777 == 0o644, "the daemon, another user, reads it"


@pytest.mark.parametrize(("bad", "at_once", "after_a_day"), [(True, ["bad-server"], []), (False, [], ["no-server"])])
async def test_a_server_that_others_sign_for_is_told_at_once_and_one_that_is_away_after_a_day(
    unit: Watched, *, bad: bool, at_once: list[str], after_a_day: list[str]
) -> None:
    since = unit.now().wall
    standing = {"unfetched": {"since": since.isoformat(), "why": "the server answered 500", "bad": bad}}
    (unit.bench.places.state / FILE_NAME).write_text(json.dumps(standing))
    assert await unit.told() == at_once
    unit.wait(timedelta(days=1).total_seconds())
    assert await unit.told() == after_a_day
    unit.bench.update()  # of a unit that has no server any more
    assert await unit.told() == [f"-{code}" for code in at_once + after_a_day]
