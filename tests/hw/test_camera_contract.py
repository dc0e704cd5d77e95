"""What every camera promises: the simulated one, and the real stack over libcamera's virtual camera."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest

from agent.config.filming import CameraSettings
from agent.hw.kit import BurnIn, Camera, HardwareLost, LoresFrame, Packet, Rate, lores_size_px
from agent.hw.picamera import PiCamera
from fakes.camera import SyntheticCamera, burn_nothing
from fakes.scene import StreetScene
from tests.hw.stamped import (
    STAMP_CB,
    STAMP_CR,
    STAMP_LUMA,
    STAMP_PX,
    Stamp,
    begins_anew,
    clocks,
    decode,
)
from tests.hw.virtual_camera import Sensor, stack_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")  # picamera2's own

FPS = 20
RATE = Rate(FPS, 1000)
SETTINGS = CameraSettings(
    enabled=True, width_px=640, height_px=360, fps=FPS, bitrate_kbps=RATE.bitrate_kbps, encoder="software"
)
FRAMES = 45
LORES_AGE_S = 0.25
"""The oldest that an analysis picture may be: looking is to happen about five times a second."""
NEAR = 12
"""What the encoder may take away from an even area."""


class Bench(Protocol):
    """A camera on the bench, and the one thing that happens to it there."""

    def open(self, burn_in: BurnIn) -> Camera: ...

    def stall(self) -> None: ...

    def resume(self) -> None: ...


class StreetBench:
    """The simulated camera over a street."""

    def __init__(self) -> None:
        self._scene = StreetScene(person=True)
        self.stall, self.resume = self._scene.freeze, self._scene.thaw

    def open(self, burn_in: BurnIn) -> Camera:
        return SyntheticCamera(SETTINGS, self._scene, burn_in)


class StackBench:
    """The product's camera on the real stack."""

    def __init__(self, sensor: Sensor) -> None:
        self.stall, self.resume = sensor.stall, sensor.resume

    def open(self, burn_in: BurnIn) -> Camera:
        return PiCamera(SETTINGS, burn_in)


@contextlib.contextmanager
def on_street(_: Path) -> Iterator[Bench]:
    yield StreetBench()


@contextlib.contextmanager
def on_picamera2(folder: Path) -> Iterator[Bench]:
    with stack_on(folder) as sensor:
        yield StackBench(sensor)


@pytest.fixture(scope="module", params=[on_street, on_picamera2])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    place: AbstractContextManager[Bench] = request.param(tmp_path_factory.mktemp("bench"))
    with place as bench:
        yield bench


@contextlib.contextmanager
def filming(bench: Bench, burn_in: BurnIn = burn_nothing) -> Iterator[Camera]:
    camera = bench.open(burn_in)
    try:
        yield camera
    finally:
        camera.close()
        bench.resume()


@dataclass
class Film:
    """What a camera gave, and when it was there to be read."""

    packets: list[Packet] = field(default_factory=list)
    read_s: list[float] = field(default_factory=list)
    lores: LoresFrame | None = None


@pytest.fixture(scope="module")
def film(bench: Bench) -> Film:
    film = Film()
    with filming(bench, Stamp()) as camera:
        for packet in itertools.islice(camera.packets(), FRAMES):
            film.packets.append(packet)
            film.read_s.append(time.monotonic())
        film.lores = camera.lores()
    return film


def test_each_second_begins_with_a_key_frame_that_carries_its_parameter_sets(film: Film) -> None:
    assert [n for n, packet in enumerate(film.packets) if packet.keyframe] == [0, FPS, 2 * FPS]
    for packet in film.packets:
        assert begins_anew(packet) == packet.keyframe


def test_frames_are_taken_one_after_another_at_the_rate_that_they_tell(film: Film) -> None:
    gaps = [later.taken_s - earlier.taken_s for earlier, later in itertools.pairwise(film.packets)]

    assert min(gaps) > 0
    assert {packet.frame_s for packet in film.packets} == {1 / FPS}
    assert statistics.median(gaps) == pytest.approx(1 / FPS, rel=0.5), "from here on a gap counts as a lost frame"
    assert sum(packet.lost for packet in film.packets) == 0


def test_frames_are_dated_on_the_monotonic_clock(film: Film) -> None:
    for packet, read_s in zip(film.packets, film.read_s, strict=True):
        assert read_s - 10 < packet.taken_s <= read_s


def test_no_picture_is_missing_and_each_was_drawn_on_as_that_of_its_moment(film: Film) -> None:
    drawn = clocks(film.packets)

    assert [clock.number for clock in drawn] == list(range(FRAMES))
    for clock, packet in zip(drawn, film.packets, strict=True):
        assert clock.taken_ms == pytest.approx(packet.taken_s * 1000, abs=1.5)


def test_what_is_drawn_has_its_place_and_its_colour(film: Film) -> None:
    whole = decode(film.packets)[-1]
    height, width = SETTINGS.height_px, SETTINGS.width_px
    cb, cr = whole[height:].reshape(2, height // 2, width // 2)
    for plane, value, size_px in (
        (whole, STAMP_LUMA, STAMP_PX),
        (cb, STAMP_CB, STAMP_PX // 2),
        (cr, STAMP_CR, STAMP_PX // 2),
    ):
        assert plane[2 : size_px - 2, 2 : size_px - 2].mean() == pytest.approx(value, abs=NEAR)
        assert abs(float(plane[2 : size_px - 2, size_px + 4 : 2 * size_px].mean()) - value) > NEAR


def test_the_analysis_picture_is_small_and_new_and_not_drawn_on(film: Film) -> None:
    lores = film.lores
    assert lores is not None
    width, height = lores_size_px(SETTINGS.width_px, SETTINGS.height_px)

    assert lores.luma.shape == (height, width)
    assert lores.luma.dtype == np.dtype(np.uint8)
    assert film.packets[-1].taken_s - lores.taken_s < LORES_AGE_S
    corner = lores.luma[2 : STAMP_PX // 2 - 2, 2 : STAMP_PX // 2 - 2]
    assert abs(float(corner.mean()) - STAMP_LUMA) > NEAR
    assert lores.luma.std() > 1, "something can be seen"


def test_an_analysis_picture_stays_as_it_is_while_others_follow(bench: Bench) -> None:
    with filming(bench) as camera:
        packets = camera.packets()
        next(packets)
        first = camera.lores()
        assert first is not None
        seen = first.luma.tobytes()
        while (newest := camera.lores()) is not None and newest.taken_s == first.taken_s:
            next(packets)

        assert newest is not None
        assert newest.taken_s > first.taken_s
        assert first.luma.tobytes() == seen


def test_the_rate_changes_at_a_key_frame_and_no_picture_is_lost_by_it(bench: Bench) -> None:
    slow, fast = Rate(8, 300), Rate(16, 900)
    taken: list[Packet] = []
    with filming(bench, Stamp()) as camera:
        packets = camera.packets()
        taken.append(next(packets))
        for rate in (slow, fast):
            asking = threading.Thread(target=camera.change_rate, args=(rate,))
            asking.start()
            asking.join()
            while taken[-1].frame_s != rate.frame_s:
                taken.append(next(packets))
            taken += itertools.islice(packets, rate.fps)

    changes = [later for earlier, later in itertools.pairwise(taken) if earlier.frame_s != later.frame_s]
    assert [change.frame_s for change in changes] == [slow.frame_s, fast.frame_s]
    for change in changes:
        assert change.keyframe
        assert begins_anew(change)
    assert taken[-1].keyframe, "a second after the change"
    assert all(later.taken_s > earlier.taken_s for earlier, later in itertools.pairwise(taken))
    assert [clock.number for clock in clocks(taken)] == list(range(len(taken)))
    last = [later.taken_s - earlier.taken_s for earlier, later in itertools.pairwise(taken[-fast.fps :])]
    assert statistics.median(last) == pytest.approx(fast.frame_s, rel=0.4), "it films at the rate it tells"


def test_a_picture_that_cannot_be_drawn_on_loses_the_camera_before_anything_of_it_goes_out(bench: Bench) -> None:
    taken: list[Packet] = []
    with filming(bench, Stamp(fails_at=5)) as camera:
        with pytest.raises(HardwareLost, match="out of ink"):
            taken.extend(camera.packets())
        assert [clock.number for clock in clocks(taken)] == list(range(5)), "and all that came before"
        with pytest.raises(HardwareLost, match="out of ink"):
            next(camera.packets())
    with filming(bench, Stamp()) as again:
        assert clocks([next(again.packets())])[0].number == 0


def test_close_ends_the_packets_of_a_waiting_reader(bench: Bench) -> None:
    with filming(bench) as camera:
        began = threading.Event()

        def read() -> None:
            for _ in camera.packets():
                began.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert began.wait(20)
        camera.close()
        reader.join(20)
        assert not reader.is_alive()
        assert list(camera.packets()) == []


def test_a_silent_camera_is_lost_and_can_be_opened_again(bench: Bench) -> None:
    with filming(bench) as camera:
        packets = camera.packets()
        next(packets)
        bench.stall()
        with pytest.raises(HardwareLost, match="2 s"):
            list(packets)
    with filming(bench) as camera:
        assert next(camera.packets()).keyframe


def test_a_silent_camera_can_be_closed(bench: Bench) -> None:
    with filming(bench) as camera:
        next(camera.packets())
        bench.stall()
        camera.close()
        camera.close()
        assert list(camera.packets()) == []
