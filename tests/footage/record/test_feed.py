"""The camera never waits for the disk: what does not fit is told, and nothing undecodable is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from agent.footage.record.feed import QUEUE_S, CameraFeed
from agent.helpers.messages import Event, PipelineRestarted, Trouble, TroubleOver
from agent.hw.kit import HardwareHangs, HardwareLost, LoresFrame, Packet, Rate
from tests.footage.film import FPS, film

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FULL = Rate(FPS, 500)
ROOM = int(QUEUE_S * FPS)
FRAMES = film(14)


class ScriptedCamera:
    """Gives what it is told to give; `while_filming` happens before the frame of that number."""

    def __init__(self, frames: tuple[Packet, ...], while_filming: dict[int, Callable[[], object]]) -> None:
        self._frames = frames
        self._while_filming = while_filming
        self.rates: list[Rate] = []
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
        self.rates.append(rate)

    def close(self) -> None:
        self.closed.set()


def codes(told: list[Event]) -> list[tuple[str, str]]:
    """What was told to be wrong or right again."""
    return [(event.type, event.code) for event in told if isinstance(event, Trouble | TroubleOver)]


def long_film(seconds: int) -> tuple[Packet, ...]:
    """Frames that nobody will look at."""
    return tuple(Packet(b"", n % FPS == 0, n / FPS, 1 / FPS) for n in range(seconds * FPS))


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
    feed = CameraFeed(cameras.pop, FULL, told.append)
    cameras.append(ScriptedCamera(FRAMES, {ROOM + 20: lambda: early.extend(taken(feed)), ROOM + 50: feed.close}))
    feed.film()
    assert early == list(range(ROOM))
    assert taken(feed) == list(range(ROOM + 2 * FPS, ROOM + 50))
    assert [event for event in codes(told) if event[1] == "disk-slow"] == [
        ("trouble", "disk-slow"),
        ("trouble-over", "disk-slow"),
    ]


def test_a_camera_that_ends_by_itself_is_lost_and_opened_again() -> None:
    told: list[Event] = []
    first = ScriptedCamera(FRAMES[:3], {})
    cameras = [first]
    feed = CameraFeed(cameras.pop, FULL, told.append)
    cameras.insert(0, ScriptedCamera(FRAMES, {4: feed.close}))
    feed.film()
    assert first.closed.is_set()
    assert codes(told) == [("trouble", "camera-lost"), ("trouble-over", "camera-lost")]
    assert sum(isinstance(event, PipelineRestarted) for event in told) == 1
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

    feed = CameraFeed(no_camera, FULL, told.append)
    feed.film()
    again = PipelineRestarted()
    assert told == [Trouble("camera-lost", "No pictures are recorded: there is none"), again, again]


def test_while_the_disk_falls_behind_the_camera_films_more_cheaply_and_each_step_is_told_and_taken_back() -> None:
    told: list[Event] = []

    def empty_the_queue() -> None:
        while feed.next(0) is not None:
            pass

    def end() -> None:
        feed.close()

    stalled_s, calm_s = 9, 200
    keeps_up = dict.fromkeys(range(stalled_s * FPS + 1, (stalled_s + calm_s) * FPS), empty_the_queue)
    camera = ScriptedCamera(long_film(stalled_s + calm_s), {**keeps_up, (stalled_s + calm_s) * FPS - 1: end})
    feed = CameraFeed(lambda: camera, FULL, told.append)
    feed.film()
    assert camera.rates == [Rate(15, 250), Rate(7, 125), Rate(15, 250), FULL]
    assert codes(told) == [
        ("trouble", "storage-slow-1"),
        ("trouble", "storage-slow-2"),
        ("trouble-over", "storage-slow-2"),
        ("trouble-over", "storage-slow-1"),
    ]


def test_a_camera_that_comes_back_films_at_the_pace_that_the_disk_can_bear() -> None:
    told: list[Event] = []

    def end() -> None:
        feed.close()

    back = ScriptedCamera(FRAMES, {2: end})
    cameras = [back, ScriptedCamera(FRAMES[: 5 * FPS], {})]
    feed = CameraFeed(cameras.pop, FULL, told.append)
    feed.film()
    assert back.rates == [Rate(15, 250)]


class HangingCamera(ScriptedCamera):
    """Goes silent, and does not come back from being stopped."""

    def close(self) -> None:
        msg = "it hangs"
        raise HardwareHangs(msg)


def test_a_camera_that_cannot_be_stopped_ends_the_feed_since_it_cannot_be_opened_again_here() -> None:
    told: list[Event] = []
    feed = CameraFeed(lambda: HangingCamera(FRAMES[:3], {}), FULL, told.append)
    with pytest.raises(HardwareHangs):
        feed.film()
    assert taken(feed) == [0, 1, 2], "what was filmed is still written"
