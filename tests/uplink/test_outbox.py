"""The outbox: what is in it stays in it, whatever dies."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.signals import Category, Remember
from agent.uplink.clears import Clear
from agent.uplink.disk import FILE_NAME, Change, Disk
from agent.uplink.entry import dump_tell, load_tell
from agent.uplink.numbers import BLOCK, Numbers, first_of_unknown_history
from agent.uplink.outbox import DAMAGED, FULL, Outbox
from agent.uplink.storage import State
from tests.uplink.lab import Complaints, LabClock, tell, until

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from agent.uplink.entry import Entry

OWED = Clear(3, frozenset({"alternate"}))
"""A broker has yet to be told that an alert is over."""


class FragileDisk(Disk):
    """A real file that can be told to have no room: SQLite itself then says that the disk is full."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.full = False

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with super()._transaction() as connection:
            pages = 1 if self.full else 1_000_000  # SQLite takes the present size for the least
            connection.execute(f"PRAGMA max_page_count={pages}")
            yield connection


class Lab:
    """An outbox with everything it is connected to."""

    def __init__(
        self, folder: Path, capacity: int = 1000, *, disk: FragileDisk | None = None, retry_s: float = 0.02
    ) -> None:
        self.clock = LabClock()
        self.complaints = Complaints()
        self.disk = disk or FragileDisk(folder)
        self.outbox = Outbox(
            self.disk,
            capacity,
            self.clock,
            on_trouble=self.complaints.trouble,
            on_over=self.complaints.end,
            retry_s=retry_s,
        )

    def keep(self, alert_id: str, revision: int = 1, category: Category = Category.HELP) -> Entry:
        """Keep one revision."""
        (entry,) = self.outbox.keep([tell(alert_id, revision, self.clock.now(), category)])
        return entry

    def keys(self) -> list[tuple[str, int]]:
        """What waits, in order."""
        return [entry.key for entry in self.outbox.pending()]


@asynccontextmanager
async def opened(folder: Path, capacity: int = 1000, *, crash: bool = False) -> AsyncIterator[Lab]:
    """An outbox for one life, which ends in order or in a crash."""
    lab = Lab(folder, capacity)
    await lab.outbox.begin()
    yield lab
    if crash:
        await lab.outbox.flushed()
        _break_off(lab.outbox)
    await lab.outbox.close()


def _break_off(outbox: Outbox) -> None:
    """From here on nothing reaches the disk any more, as if the process were gone."""
    outbox._storage.commit = _go_nowhere  # type: ignore[method-assign]


def _go_nowhere(change: Change) -> None:
    """The process is gone."""


async def test_what_was_kept_is_there_after_a_restart_with_its_moment_and_number(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        entry = lab.keep("inc-1")
        lab.outbox.sent(entry, late=True)
    async with opened(tmp_path) as lab:
        (again,) = lab.outbox.pending()
    assert again.tell == entry.tell
    assert (again.sequence, again.recorded, again.attempts, again.late) == (entry.sequence, entry.recorded, 1, True)
    assert again.settled


async def test_an_acknowledgement_forgets_its_revision_for_ever(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        second = [lab.keep("inc-1", revision) for revision in (1, 2, 3)][1]
        for entry in lab.outbox.pending():
            lab.outbox.sent(entry, late=False)
        assert lab.outbox.delivered("inc-1", 2) is second
        assert lab.outbox.delivered("inc-1", 2) is None
    async with opened(tmp_path) as lab:
        assert lab.keys() == [("inc-1", 1), ("inc-1", 3)]


async def test_an_acknowledgement_of_what_was_never_sent_forgets_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        lab.keep("inc-1")
        assert lab.outbox.delivered("inc-1", 1) is None
        assert lab.outbox.delivered("inc-1", 99) is None
        assert lab.outbox.delivered("no such alert", 1) is None
        assert lab.keys() == [("inc-1", 1)]


async def test_help_calls_come_first_then_intruders_then_tamper_and_faults_then_the_rest(tmp_path: Path) -> None:
    categories = [Category.TEST, Category.FAULT, Category.INTRUDER, Category.HELP, Category.TAMPER, Category.NOISE]
    async with opened(tmp_path) as lab:
        for number, category in enumerate(categories):
            lab.keep(f"inc-{number}", category=category)
        order = [entry.tell.category for entry in lab.outbox.pending()]
    assert order == [
        Category.HELP,
        Category.INTRUDER,
        Category.FAULT,
        Category.TAMPER,
        Category.TEST,
        Category.NOISE,
    ]
    async with opened(tmp_path) as lab:
        assert [entry.tell.category for entry in lab.outbox.pending()] == order


async def test_a_full_outbox_drops_the_least_important_and_of_that_the_oldest(tmp_path: Path) -> None:
    async with opened(tmp_path, capacity=3) as lab:
        lab.keep("noise-1", category=Category.NOISE)
        lab.keep("noise-2", category=Category.NOISE)
        lab.keep("intruder", category=Category.INTRUDER)
        lab.keep("help-1")
        assert lab.keys() == [("help-1", 1), ("intruder", 1), ("noise-2", 1)]
        lab.keep("help-2")
        lab.keep("help-3")
        assert lab.outbox.dropped == 3
        assert lab.complaints.told == [FULL]
    async with opened(tmp_path, capacity=3) as lab:
        assert lab.keys() == [("help-1", 1), ("help-2", 1), ("help-3", 1)]


async def test_no_help_call_is_ever_dropped(tmp_path: Path) -> None:
    async with opened(tmp_path, capacity=3) as lab:
        for number in range(10):
            lab.keep(f"help-{number}")
        assert lab.outbox.keep([tell("noise", 1, lab.clock.now(), Category.NOISE)]) == []
        assert len(lab.outbox) == 10
        for number in range(9):
            (entry,) = lab.outbox.of_alert(f"help-{number}")
            lab.outbox.sent(entry, late=False)
            lab.outbox.delivered(f"help-{number}", 1)
        assert lab.complaints.over == [FULL]


async def test_memories_outlive_a_restart_until_they_are_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        lab.outbox.keep([], [Remember("inc-1", {"phase": "active"}), Remember("inc-2", {"phase": "ended"})])
    async with opened(tmp_path) as lab:
        assert lab.outbox.remembered() == {"inc-1": {"phase": "active"}, "inc-2": {"phase": "ended"}}
        lab.outbox.keep([], [Remember("inc-1", None)])
        assert lab.outbox.remembered() == {"inc-2": {"phase": "ended"}}
    async with opened(tmp_path) as lab:
        assert lab.outbox.remembered() == {"inc-2": {"phase": "ended"}}


# --- numbers ---------------------------------------------------------------------------------------------------------


async def test_after_an_orderly_end_no_number_is_skipped(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        async with opened(tmp_path) as lab:
            assert lab.outbox.skipped is None
            numbers += [lab.keep("inc-1", revision).sequence for revision in (1, 2)]
            assert lab.outbox.last_sequence == numbers[-1]
    assert numbers == [1, 2, 3, 4, 5, 6]


async def test_after_a_crash_numbers_are_skipped_and_never_given_again(tmp_path: Path) -> None:
    given: list[int] = []
    skipped: list[range] = []
    for life in range(4):
        async with opened(tmp_path, crash=True) as lab:
            if lab.outbox.skipped is not None:
                first, last = lab.outbox.skipped
                skipped.append(range(first, last + 1))
            given += [lab.keep(f"inc-{life}", revision).sequence for revision in (1, 2, 3)]
            await lab.outbox.flushed()
            _break_off(lab.outbox)
            given.append(lab.keep("never stored").sequence)
    assert len(set(given)) == len(given)
    assert given == sorted(given)
    # What was stored before a crash is not declared skipped; what may have been given but not stored is.
    accounted = set(given) | {number for span in skipped for number in span}
    assert accounted == set(range(1, max(given) + 1))


async def test_numbers_do_not_run_out_within_one_life(tmp_path: Path) -> None:
    async with opened(tmp_path, crash=True) as lab:
        for _ in range(3 * BLOCK):
            last = lab.outbox.keep([tell("inc-1", 1, lab.clock.now())])[0].sequence
    async with opened(tmp_path) as lab:
        assert lab.keep("inc-2").sequence > last


# --- the id of the next help call ------------------------------------------------------------------------------------


async def test_a_call_killed_before_it_was_stored_is_raised_again_under_its_id_if_the_button_is_still_held(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, crash=True) as lab:
        await lab.outbox.flushed()
        _break_off(lab.outbox)  # killed right after the call was published
        published = lab.outbox.take_help_id()
        lab.keep(published)
    async with opened(tmp_path) as lab:
        assert lab.keys() == []
        assert lab.outbox.take_help_id(at_start=True) == published


async def test_a_call_killed_after_it_was_stored_does_not_give_its_id_away(tmp_path: Path) -> None:
    async with opened(tmp_path, crash=True) as lab:
        stored = lab.outbox.take_help_id()
        lab.keep(stored)
    async with opened(tmp_path) as lab:
        assert lab.keys() == [(stored, 1)]
        assert stored not in {lab.outbox.take_help_id(at_start=True), lab.outbox.take_help_id()}


async def test_a_new_call_after_a_crash_has_an_id_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path, crash=True) as lab:
        await lab.outbox.flushed()
        _break_off(lab.outbox)
        published = lab.outbox.take_help_id()
    async with opened(tmp_path) as lab:
        assert lab.outbox.take_help_id() != published
        lab.outbox.end_start()
        assert lab.outbox.take_help_id(at_start=True) != published


async def test_the_id_survives_a_second_crash_during_the_start(tmp_path: Path) -> None:
    async with opened(tmp_path, crash=True) as lab:
        await lab.outbox.flushed()
        _break_off(lab.outbox)
        published = lab.outbox.take_help_id()
    async with opened(tmp_path, crash=True) as lab:
        await lab.outbox.flushed()
        _break_off(lab.outbox)
        assert lab.outbox.take_help_id(at_start=True) == published
    async with opened(tmp_path) as lab:
        assert lab.outbox.take_help_id(at_start=True) == published
        lab.keep(published)
        assert lab.outbox.take_help_id(at_start=True) != published


async def test_after_an_orderly_end_no_call_is_taken_for_an_old_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        spare = lab.outbox.take_help_id()
        lab.keep(spare)
    async with opened(tmp_path) as lab:
        assert lab.outbox.take_help_id(at_start=True) != spare


async def test_two_calls_have_two_ids(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        assert lab.outbox.take_help_id() != lab.outbox.take_help_id()


# --- bad disks -------------------------------------------------------------------------------------------------------


async def test_with_a_full_disk_alerts_are_kept_in_memory_and_stored_when_there_is_room(tmp_path: Path) -> None:
    async with opened(tmp_path) as lab:
        lab.keep("before")
        await lab.outbox.flushed()
        lab.disk.full = True
        big = "x" * 100_000
        lab.outbox.keep([tell("inc-1", 1, lab.clock.now(), headline=big)])
        await until(lambda: lab.complaints.told == ["disk-full"], "the full disk is reported")
        assert all(entry.settled for entry in lab.outbox.pending())
        lab.keep("during")
        lab.outbox.keep([], [Remember("during", {"phase": "active"})])
        lab.disk.full = False
        await until(lambda: lab.complaints.over == ["disk-full"], "it is reported over")
        assert lab.outbox.disk is State.WORKING
    async with opened(tmp_path) as lab:
        assert lab.keys() == [("before", 1), ("inc-1", 1), ("during", 1)]
        assert lab.outbox.remembered() == {"during": {"phase": "active"}}
    assert lab.complaints.told == []


async def test_a_disk_that_vanishes_and_comes_back_empty_gets_everything_again(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    async with opened(folder) as lab:
        lab.keep("before")
        await lab.outbox.flushed()
        shutil.rmtree(folder)
        folder.write_text("nothing is mounted here")
        lab.keep("during")
        await until(lambda: lab.complaints.told == ["disk-lost"], "the loss is reported")
        folder.unlink()
        await until(lambda: lab.complaints.over == ["disk-lost"], "it is reported over")
    async with opened(folder) as lab:
        assert lab.keys() == [("before", 1), ("during", 1)]


async def test_a_unit_starts_without_its_disk_and_finds_the_old_alerts_when_it_appears(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    async with opened(folder) as lab:
        old = lab.keep("old")
        lab.outbox.sent(old, late=False)
        lab.outbox.keep([], [Remember("old", {"phase": "active"}), Remember("new", {"phase": "active"})])
        lab.outbox.owe("over", OWED)
        lab.outbox.owe("told", OWED)
    folder.rename(tmp_path / "drive")
    folder.write_text("nothing is mounted here")
    async with opened(folder) as lab:
        assert lab.complaints.told == ["disk-lost"]
        settled: list[Entry] = []
        lab.outbox.on_settled = settled.extend
        found: list[Entry] = []
        lab.outbox.on_found = found.extend
        remembered: list[object] = []
        lab.outbox.on_remembered = lambda states, crashed: remembered.append((states, crashed))
        new = lab.keep("new")
        lab.outbox.keep([], [Remember("new", None)])
        lab.outbox.owe("told", None)
        assert new.settled
        assert new.sequence > old.sequence
        assert lab.outbox.skipped == (1, new.sequence - 1)
        folder.unlink()
        (tmp_path / "drive").rename(folder)
        await until(lambda: lab.complaints.over == ["disk-lost"], "the disk is found")
        assert lab.keys() == [("old", 1), ("new", 1)]
        assert [entry.key for entry in settled] == [("new", 1)]
        assert [(entry.key, entry.attempts) for entry in found] == [(("old", 1), 1)]
        assert remembered == [([{"phase": "active"}], False)], "what this life forgot stays forgotten"
        assert lab.outbox.clears == {"over": OWED}, "what a broker was told meanwhile is not owed again"
    async with opened(folder) as lab:
        assert lab.keys() == [("old", 1), ("new", 1)]
        assert lab.outbox.clears == {"over": OWED}
        assert lab.outbox.remembered() == {"old": {"phase": "active"}}
        assert lab.keep("next").sequence > new.sequence


async def test_an_orderly_end_stores_what_was_only_in_memory_if_the_disk_is_there_again(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    folder.write_text("nothing is mounted here")
    lab = Lab(folder, retry_s=3600.0)
    await lab.outbox.begin()
    assert lab.outbox.disk is State.LOST
    kept = lab.keep("inc-1")
    folder.unlink()
    with capture_logs() as logs:
        await lab.outbox.close()
    assert "alerts_lost_with_the_end" not in [line["event"] for line in logs]
    async with opened(folder) as again:
        assert again.keys() == [("inc-1", 1)]
        assert not again.outbox.crashed
        assert again.keep("inc-2").sequence == kept.sequence + 1


async def test_an_orderly_end_without_a_disk_says_what_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    folder.write_text("nothing is mounted here")
    lab = Lab(folder, retry_s=3600.0)
    await lab.outbox.begin()
    lab.keep("inc-1")
    lab.keep("inc-2", category=Category.NOISE)
    with capture_logs() as logs:
        await lab.outbox.close()
    (line,) = [line for line in logs if line["event"] == "alerts_lost_with_the_end"]
    assert (line["help_calls"], line["others"]) == (1, 1)


async def test_a_disk_that_comes_late_to_a_clock_that_was_set_back_gets_no_number_twice(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    async with opened(folder) as lab:
        an_hour_ahead = lab.clock.now().wall + timedelta(hours=1)
        lab.outbox._numbers = Numbers(first_of_unknown_history(an_hour_ahead))  # as a disk that was lost then left it
        last = lab.keep("old").sequence
    folder.rename(tmp_path / "drive")
    folder.write_text("nothing is mounted here")
    async with opened(folder) as lab:
        assert lab.keep("meanwhile").sequence < last
        folder.unlink()
        (tmp_path / "drive").rename(folder)
        await until(lambda: lab.complaints.over == ["disk-lost"], "the disk is found")
        new = lab.keep("new").sequence
        assert new > last
        assert lab.outbox.skipped == (1, new - 1)
    async with opened(folder) as lab:
        assert lab.keep("next").sequence == new + 1


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 500, None], ids=["empty", "text", "flipped"])
async def test_a_file_that_cannot_be_read_is_moved_aside_and_reported(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / FILE_NAME
    async with opened(tmp_path) as lab:
        for number in range(50):
            lab.keep(f"inc-{number}")
        last = lab.outbox.last_sequence
    if damage is None:
        content = bytearray(path.read_bytes())
        content[4096:12288] = os.urandom(8192)
        damage = bytes(content)
    path.write_bytes(damage)
    async with opened(tmp_path) as lab:
        new = lab.keep("after")
        await lab.outbox.flushed()
        if damage:
            assert lab.complaints.told == [DAMAGED]
            assert lab.complaints.over == [DAMAGED]
            assert new.sequence > last
            assert _moved_aside(tmp_path) == [damage]
        assert lab.outbox.disk is State.WORKING
    async with opened(tmp_path) as lab:
        assert lab.keys()[-1] == ("after", 1)


def _moved_aside(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob(f"{FILE_NAME}.unreadable-*")]


async def test_a_second_daemon_on_the_same_folder_works_in_memory_and_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as first:
        second = Lab(tmp_path)
        await second.outbox.begin()
        assert second.complaints.told == ["outbox-in-use"]
        entry = second.keep("inc-1")
        assert entry.settled
        assert entry.sequence > first.keep("inc-2").sequence
        await second.outbox.close()


async def test_a_disk_that_hangs_is_reported_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    class HangingDisk(FragileDisk):
        @contextmanager
        def _transaction(self) -> Iterator[sqlite3.Connection]:
            goes_on.wait()
            with super()._transaction() as connection:
                yield connection

    goes_on.set()
    lab = Lab(tmp_path, disk=HangingDisk(tmp_path))
    await lab.outbox.begin()
    await lab.outbox.flushed()
    goes_on.clear()
    monkeypatch.setattr("agent.uplink.storage.STUCK_AFTER_S", 0.1)  # before, a busy machine's disk may be slower
    entry = lab.keep("inc-1", category=Category.INTRUDER)
    assert not entry.settled
    await until(lambda: entry.settled, "the entry does not wait any longer")
    assert lab.complaints.told == ["disk-stuck"]
    goes_on.set()
    await until(lambda: lab.complaints.over == ["disk-stuck"], "the disk is back")
    await lab.outbox.close()
    async with opened(tmp_path) as again:
        assert again.keys() == [("inc-1", 1)]


# --- kill -9 ---------------------------------------------------------------------------------------------------------

DIARIST = """
import asyncio, sys
from pathlib import Path
from agent.clock import SystemClock
from agent.signals import Category, Tell
from agent.uplink.outbox import Outbox

async def main():
    clock = SystemClock()
    outbox = await Outbox.open(Path(sys.argv[1]), 100_000, clock, on_trouble=print, on_over=print)
    stored = []
    outbox.on_settled = stored.extend
    number = 0
    print("open", flush=True)
    while True:
        number += 1
        alert_id = outbox.take_help_id()
        for entry in outbox.keep([Tell(alert_id, 1, Category.HELP, clock.now(), {}, True)]):
            print("given", alert_id, entry.sequence, flush=True)
        if number % 3 == 0:
            await outbox.flushed()
        for entry in stored:
            print("stored", entry.tell.alert_id, entry.sequence, flush=True)
        stored.clear()
        await asyncio.sleep(0)

asyncio.run(main())
"""


async def test_kill_9_loses_nothing_that_was_stored_and_gives_no_number_twice(tmp_path: Path) -> None:
    rng = random.Random(20261122)
    given: list[int] = []
    stored: set[str] = set()
    for _ in range(5):
        lines = await asyncio.to_thread(_live_and_die, tmp_path, rng.randrange(1, 400))
        given += [int(line[2]) for line in lines if line[0] == "given"]
        stored |= {line[1] for line in lines if line[0] == "stored"}
    assert len(given) > 5
    assert stored
    assert len(set(given)) == len(given)
    complaints = Complaints()
    outbox = await Outbox.open(tmp_path, 100_000, SystemClock(), on_trouble=complaints.trouble, on_over=complaints.end)
    found = {entry.tell.alert_id for entry in outbox.pending()}
    assert stored <= found
    assert complaints.told == []
    assert outbox.keep([tell("inc-new", 1, LabClock().now())])[0].sequence > max(given)
    await outbox.close()


def _live_and_die(folder: Path, lines_to_live: int) -> list[list[str]]:
    """A life that is killed after it has said so much; what it had said by then."""
    command = [sys.executable, "-c", DIARIST, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as diarist:
        assert diarist.stdout is not None
        lines = [diarist.stdout.readline() for _ in range(lines_to_live)]
        diarist.send_signal(signal.SIGKILL)
        lines += diarist.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n") and line.startswith(("given", "stored"))]


def test_a_tell_comes_back_as_it_was() -> None:
    told = tell("inc-1", 7, LabClock().now(), Category.TAMPER, scores={"confidence": 0.5}, note=None)
    assert load_tell(dump_tell(told)) == told


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"alertId": "x"}'])
def test_a_text_that_is_no_tell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_tell(text)
