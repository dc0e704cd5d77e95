"""What an operator orders of the recorder: pictures and holds of wall time, of this boot and of earlier ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.clock import ClockQuality, Moment, SystemClock
from agent.footage.keep.holds import Holds
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentWriter
from agent.helpers.messages import (
    ClipOrder,
    HoldOrder,
    OrderDone,
    OrderRefused,
    ReleaseOrder,
    StillOrder,
    Working,
)
from agent.signals import Why
from fakes.scene import StreetScene
from tests.footage.daemon_end import running_recorder
from tests.footage.film import FPS, film

if TYPE_CHECKING:
    from pathlib import Path

EARLIER = Moment(5000.0, datetime(2026, 11, 20, 22, 0, tzinfo=UTC), "a" * 32, ClockQuality.SYNCED)
"""The first frame of another boot."""
HOLD = HoldOrder(
    "cmd-1",
    "NOTTS/26/1",
    "asked for",
    "op-1",
    EARLIER.wall + timedelta(days=1),
    EARLIER.wall,
    EARLIER.wall + timedelta(seconds=4),
)


def film_earlier(footage: Path) -> None:
    """Four seconds of an earlier boot lie on the disk."""
    segments = footage / "segments"
    segments.mkdir(parents=True)
    writer = SegmentWriter(segments, EARLIER, FPS)
    for frame in film(4, EARLIER.monotonic_s):
        writer.write(frame)
    writer.close()
    FootageIndex(footage / "index.sqlite", segments).close()


def test_orders_of_this_boot_and_of_an_earlier_one_are_carried_out(tmp_path: Path) -> None:
    footage = tmp_path / "footage"
    film_earlier(footage)
    with running_recorder(tmp_path, StreetScene(person=True)) as daemon:
        daemon.hears(Working, lambda proof: proof.done >= 30)
        now = SystemClock().now().wall
        daemon.ask(StillOrder("cmd-now", now))
        still = daemon.hears(OrderDone)
        daemon.ask(ClipOrder("cmd-clip", now - timedelta(seconds=1), now + timedelta(seconds=1)))
        clip = daemon.hears(OrderDone)
        daemon.ask(StillOrder("cmd-then", EARLIER.wall + timedelta(seconds=2)))
        then = daemon.hears(OrderDone)
        daemon.ask(ClipOrder("cmd-old", EARLIER.wall + timedelta(seconds=1), EARLIER.wall + timedelta(seconds=3)))
        old = daemon.hears(OrderDone)
        daemon.ask(StillOrder("cmd-dark", EARLIER.wall - timedelta(days=1)))
        assert daemon.hears(OrderRefused).code == Why.NO_FOOTAGE

        daemon.ask(HOLD)
        assert daemon.hears(OrderDone).facts["segments"] == 1
        daemon.ask(HOLD)  # of a recorder that was killed before it could answer
        assert daemon.hears(OrderDone).facts["ref"] == "NOTTS/26/1"
        daemon.ask(replace_hold(by="op-2"))
        assert daemon.hears(OrderRefused).code == Why.EXISTS
        assert [hold.by for hold in Holds(footage).all()] == ["op-1"]
        release = ReleaseOrder("cmd-2", "NOTTS/26/1", "copied", "op-1", HOLD.made + timedelta(hours=1))
        daemon.ask(release)
        daemon.hears(OrderDone)
        daemon.ask(release)
        daemon.hears(OrderDone)
        daemon.ask(ReleaseOrder("cmd-3", "NOTTS/26/1", "copied", "op-1", HOLD.made + timedelta(hours=2)))
        assert daemon.hears(OrderRefused).code == Why.NOT_FOUND
        assert Holds(footage).all() == []
    for done in (still, clip, then, old):
        file = footage / str(done.facts["file"])
        assert hashlib.sha256(file.read_bytes()).hexdigest() == done.facts["sha256"]
    shown = datetime.fromisoformat(str(then.facts["start"]))
    assert abs((shown - EARLIER.wall).total_seconds() - 2) < 0.1
    lasts = datetime.fromisoformat(str(old.facts["end"])) - datetime.fromisoformat(str(old.facts["start"]))
    assert lasts.total_seconds() == pytest.approx(3, abs=1.1), "from the key frame before its start"


def replace_hold(**changed: str) -> HoldOrder:
    return replace(HOLD, **changed)  # type: ignore[arg-type]
