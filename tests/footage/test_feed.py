"""The camera never waits for the disk: what does not fit is told, and nothing undecodable is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from agent.footage.feed import QUEUE_S, CameraFeed
from agent.helpers.messages import Event, Trouble, TroubleOver
from agent.hw.kit import HardwareLost, LoresFrame, Packet, Rate
from tests.footage.film import FPS, film

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOM = int(QUEUE_S * FPS)
FRAMES = film(14)


class ScriptedCamera:
    """Gives what it is told to give; `while_filming` happens before the frame of that number."""

    def __init__(self, frames: tuple[Packet, ...], while_filming: dict[int, Callable[[], object]]) -> None:
        self._frames = frames
        self._while_filming = while_filming
        self.closed = threading.Event()

    def packets(self) -> Iterator[Packet]:
        for number, frame in enumerate(self._frames):
            self._while_filming.get(number, lambda: None)()
            if self.closed.is_set():
                return
            yield frame

    def lores(self) -> LoresFrame | None:
        return None

    def change_rate(self, rate: Rate) -> None:
        raise AssertionError(rate)

    def close(self) -> None:
        self.closed.set()


def taken(feed: CameraFeed) -> list[int]:
    """The numbers of all frames that wait."""
    numbers = []
    while (frame := feed.next(0)) is not None:
        numbers.append(FRAMES.index(frame))
    return numbers


def test_when_the_disk_stands_still_footage_goes_on_with_the_next_key_frame_that_fits() -> None:
    told: list[Event] = []
    early: list[int] = []
    cameras: list[ScriptedCamera] = []
    feed = CameraFeed(cameras.pop, FPS, told.append)
    cameras.append(ScriptedCamera(FRAMES, {ROOM + 20: lambda: early.extend(taken(feed)), ROOM + 50: feed.close}))
    feed.film()
    assert early == list(range(ROOM))
    assert taken(feed) == list(range(ROOM + 2 * FPS, ROOM + 50))
    assert [(event.type, event.code) for event in told if isinstance(event, Trouble | TroubleOver)] == [
        ("trouble", "disk-slow"),
        ("trouble-over", "disk-slow"),
    ]


def test_a_camera_that_ends_by_itself_is_lost_and_opened_again() -> None:
    told: list[Event] = []
    first = ScriptedCamera(FRAMES[:3], {})
    cameras = [first]
    feed = CameraFeed(cameras.pop, FPS, told.append)
    cameras.insert(0, ScriptedCamera(FRAMES, {4: feed.close}))
    feed.film()
    assert first.closed.is_set()
    assert [(event.type, event.code) for event in told if isinstance(event, Trouble | TroubleOver)] == [
        ("trouble", "camera-lost"),
        ("trouble-over", "camera-lost"),
    ]
    assert taken(feed) == [0, 1, 2, 0, 1, 2, 3]


def test_a_camera_that_cannot_be_opened_is_told_once_however_often_it_is_tried() -> None:
    told: list[Event] = []
    tries: list[int] = []

    def no_camera() -> ScriptedCamera:
        tries.append(1)
        if len(tries) == 3:
            feed.close()
        msg = "there is none"
        raise HardwareLost(msg)

    feed = CameraFeed(no_camera, FPS, told.append)
    feed.film()
    assert told == [Trouble("camera-lost", "No pictures are recorded: there is none")]
