"""The thread beside the recording that looks for tamper."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.clock import ClockQuality, Moment
from agent.footage.tamper.lookout import Lookout
from agent.footage.tamper.watch import LOOK_EVERY_S, Tamper
from agent.helpers.messages import TamperOver, TamperSeen, Trouble, TroubleOver
from agent.hw.kit import LoresFrame
from fakes.lens import BeforeLens
from fakes.night_street import NightStreet
from fakes.scene import StreetScene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.helpers.messages import Event

LIMIT_S = 60.0
MOMENT = Moment(0.0, datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC), "boot", ClockQuality.SYNCED)


class Post:
    """A camera over the simulated street, on a clock that goes on by half a second at each look."""

    def __init__(self) -> None:
        self.scene = StreetScene()
        self.broken = False
        self.events: list[Event] = []
        self._street = NightStreet(320, 180)
        self._looks = 0
        self._told = threading.Condition()

    def newest(self) -> LoresFrame | None:
        self._looks += 1
        if self.broken:
            msg = "the analysis picture is no picture"
            raise ValueError(msg)
        self._street.draw(self.scene, self._looks, MOMENT)
        return LoresFrame(self._street.bare.small(320, 180), self.now_s())

    def now_s(self) -> float:
        return self._looks * LOOK_EVERY_S

    def tell(self, event: Event) -> None:
        with self._told:
            self.events.append(event)
            self._told.notify()

    def until(self, kind: type[Event], count: int = 1) -> Event:
        """The so-manieth event of this kind, once it was told."""
        with self._told:
            of_kind: list[Event] = []

            def told() -> bool:
                of_kind[:] = [event for event in self.events if isinstance(event, kind)]
                return len(of_kind) >= count

            assert self._told.wait_for(told, LIMIT_S), f"no {kind.__name__} number {count} in {self.events}"
            return of_kind[count - 1]

    @contextmanager
    def watched(self) -> Iterator[None]:
        lookout = Lookout(self.newest, self.tell, self.now_s, every_s=0.0005)
        thread = threading.Thread(target=lookout.work, name="lookout")
        thread.start()
        try:
            yield
        finally:
            lookout.close()
            thread.join(LIMIT_S)
        assert not thread.is_alive()


def test_a_camera_that_is_sprayed_and_wiped_is_told_twice() -> None:
    post = Post()
    with post.watched():
        post.until(TamperOver)  # the view is learned
        post.scene.cover(BeforeLens.SPRAY)
        seen = post.until(TamperSeen)
        assert isinstance(seen, TamperSeen)
        assert seen.kind == Tamper.BLURRED
        post.scene.uncover()
        post.until(TamperOver, 2)
    assert [type(event) for event in post.events] == [TamperOver, TamperSeen, TamperOver]


def test_a_watch_that_fails_is_told_once_and_the_thread_looks_on() -> None:
    post = Post()
    with post.watched():
        post.until(TamperOver)
        post.broken = True
        trouble = post.until(Trouble)
        assert isinstance(trouble, Trouble)
        assert (trouble.code, "it is recorded as usual" in trouble.text) == ("tamper-watch", True)
        post.broken = False
        post.until(TroubleOver)
        post.until(TamperOver, 2)  # what is seen now is learned anew
    assert [type(event) for event in post.events] == [TamperOver, Trouble, TroubleOver, TamperOver]


def test_a_lookout_that_waits_for_its_next_look_ends_at_once() -> None:
    lookout = Lookout(lambda: None, lambda _event: None, every_s=LIMIT_S * 10)
    thread = threading.Thread(target=lookout.work, name="lookout")
    thread.start()
    lookout.close()
    thread.join(LIMIT_S)
    assert not thread.is_alive()
