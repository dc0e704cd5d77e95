"""The power fails: what lies on the card at that moment is all there is, and it holds all that was told to be safe.

`kill -9` leaves the kernel's memory as it was. Here the card itself is copied while the recorder stands still: an ext4
file system in a file, of which only that is copied which the kernel has really written to it.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.footage.store.index import FootageIndex
from agent.helpers.messages import Settings, Trouble, Working
from fakes.scene import StreetScene
from tests.footage.daemon_end import LIMIT_S, DaemonEnd, config, running_recorder
from tests.footage.disks import card, mounted, new_card
from tests.footage.film import clocks

if TYPE_CHECKING:
    from pathlib import Path

CUTS = 10


@dataclass(frozen=True)
class Cut:
    """A moment at which the power could have failed."""

    image: Path
    safe: int
    """Frames that were told to be safe before it."""


def cut_power(recorder: subprocess.Popen[bytes], daemon: DaemonEnd, slot: Path, copy: Path) -> Cut:
    """Copy the card as it is now; the recorder does not write meanwhile, and goes on afterwards."""
    safe = max(event.done for event in [daemon.hears(Working), *daemon.heard] if isinstance(event, Working))
    os.kill(recorder.pid, signal.SIGSTOP)
    shutil.copyfile(slot, copy)
    os.kill(recorder.pid, signal.SIGCONT)
    return Cut(copy, safe)


def test_ten_power_cuts_take_nothing_that_was_told_to_be_safe(tmp_path: Path) -> None:
    dice = random.Random(3)
    image, slot = new_card(tmp_path / "card.img"), tmp_path / "slot"
    ours, theirs = socket.socketpair()
    with card(image, slot):
        with theirs:
            recorder = subprocess.Popen(
                [sys.executable, "-m", "tests.footage.record_alone", str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        daemon = DaemonEnd(ours)
        try:
            daemon.ask(Settings(config(slot).model_dump_json()))
            cuts = []
            for number in range(CUTS):
                time.sleep(dice.uniform(0, 1))  # the random moment is what is tested
                cuts.append(cut_power(recorder, daemon, image, tmp_path / f"cut{number}.img"))
        finally:
            recorder.kill()
            recorder.wait(LIMIT_S)
            daemon.close()
    for number, cut in enumerate(cuts):
        with card(cut.image, tmp_path / f"after{number}") as after:
            index = FootageIndex(after / "footage" / "index.sqlite", after / "footage" / "segments")
            shown = [clock.number for segment in index.segments() for clock in clocks(segment.path)]
            index.close()
        assert shown == list(range(len(shown)))
        assert len(shown) >= cut.safe


def test_a_worn_out_card_is_told_and_another_one_in_its_place_is_recorded_on(tmp_path: Path) -> None:
    """The worn card's own memory is a file that cannot grow any more: the kernel answers each sync with a real EIO."""
    memory, slot = tmp_path / "memory", tmp_path / "slot"
    with mounted(memory, "-t", "tmpfs", "-o", "size=6m", "tmpfs"):
        with card(new_card(memory / "card.img"), slot), running_recorder(slot, StreetScene(person=True)) as daemon:
            daemon.hears(Working)
            with contextlib.suppress(OSError), (memory / "the rest").open("wb", buffering=0) as rest:
                while rest.write(bytes(1 << 12)):
                    pass
            assert daemon.hears(Trouble).code == "write-failed"
        with (
            card(new_card(tmp_path / "good.img"), slot),
            running_recorder(slot, StreetScene(person=True)) as daemon,
        ):
            daemon.hears(Working)
