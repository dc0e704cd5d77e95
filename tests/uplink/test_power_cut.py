"""The power fails: a day's ten thousand events are on the card, in order and with their own times.

The card is a real ext4 file system in a file; only what the kernel has written to it is copied (tests/footage).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.uplink.disk import Disk
from tests.footage.disks import card, new_card
from tests.uplink.lab import LabClock
from tests.uplink.store_alone import CATEGORIES, STEP_S

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 10_000
CUT_AT = (1_700, EVENTS)


def test_ten_thousand_events_outlive_a_power_cut_in_order_and_with_their_times(tmp_path: Path) -> None:
    image, slot = new_card(tmp_path / "card.img", 64), tmp_path / "slot"
    with card(image, slot):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.uplink.store_alone", str(slot / "state"), str(EVENTS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        cuts = []
        try:
            for line in writer.stdout or ():
                if int(line) in CUT_AT:
                    os.kill(writer.pid, signal.SIGSTOP)
                    copy = tmp_path / f"cut{line.strip()}.img"
                    shutil.copyfile(image, copy)
                    os.kill(writer.pid, signal.SIGCONT)
                    cuts.append((copy, int(line)))
                if len(cuts) == len(CUT_AT):
                    break
        finally:
            writer.kill()
            writer.wait()
            if writer.stdout is not None:
                writer.stdout.close()
    assert [safe for _, safe in cuts] == [*CUT_AT]
    for copy, safe in cuts:
        with card(copy, tmp_path / "after") as after:
            check_what_is_left(after / "state", safe)


def check_what_is_left(folder: Path, safe: int) -> None:
    """All that was told to be safe, and perhaps a little more."""
    disk = Disk(folder)
    contents = disk.open()
    disk.close()
    assert contents.moved_aside is None
    assert contents.unreadable == 0
    pending = contents.entries
    assert len(pending) >= safe
    began = LabClock()
    by_number = sorted(pending, key=lambda entry: entry.sequence)
    assert [entry.tell.alert_id for entry in by_number] == [f"day-{number:05d}" for number in range(len(pending))]
    for number, entry in enumerate(by_number):
        assert entry.tell.category is CATEGORIES[number % len(CATEGORIES)]
        assert abs(entry.tell.at.wall - began.now().wall - timedelta(seconds=STEP_S * (number + 1))).total_seconds() < 1
