"""The simulated camera is a real one to whoever holds it: real H.264, real time, real ways to fail."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime

import av
import numpy as np
import pytest

from agent.clock import ClockQuality, Moment
from agent.config.filming import CameraSettings
from agent.hw.kit import HardwareLost, Packet
from fakes.camera import StreetFilm, SyntheticCamera
from fakes.frame_clock import FrameClock, Luma, draw_frame_clock, read_frame_clock
from fakes.scene import StreetScene

SMALL = CameraSettings(width_px=320, height_px=180, fps=15, bitrate_kbps=500)
NIGHT = Moment(95_443.7, datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC), "boot", ClockQuality.SYNCED)
SPS, PPS, KEY_SLICE = 7, 8, 5


def decode(packets: list[Packet]) -> list[Luma]:
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    pictures = [picture for packet in packets for picture in decoder.decode(av.Packet(packet.data))]
    return [picture.to_ndarray()[: picture.height].astype(np.uint8) for picture in [*pictures, *decoder.decode(None)]]


def brightness(film: StreetFilm) -> float:
    return float(decode([film.shoot(NIGHT)])[0].mean())


@pytest.mark.parametrize(("width", "height", "kbps"), [(320, 180, 100), (640, 360, 500), (1280, 720, 2000)])
def test_every_picture_says_which_it_is_and_when_it_was_taken(width: int, height: int, kbps: int) -> None:
    scene = StreetScene(person=True)
    film = StreetFilm(CameraSettings(width_px=width, height_px=height, fps=15, bitrate_kbps=kbps), scene)
    packets = []
    for number in range(40):
        scene.lamp(on=number > 20)
        packets.append(film.shoot(NIGHT.later(number / 15)))
    clocks = [read_frame_clock(luma) for luma in decode(packets)]
    assert clocks == [FrameClock(n, int(packet.taken_s * 1000)) for n, packet in enumerate(packets)]


def test_a_picture_without_a_clock_is_told_from_one_with() -> None:
    with pytest.raises(ValueError, match="no readable frame clock"):
        read_frame_clock(np.full((180, 320), 90, dtype=np.uint8))


def test_a_picture_too_small_for_a_clock_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="64 x 64 pixels is too small"):
        draw_frame_clock(np.zeros((64, 64), dtype=np.uint8), FrameClock(1, 1))


def test_a_second_begins_with_a_key_frame_that_carries_its_parameter_sets() -> None:
    film = StreetFilm(SMALL, StreetScene())
    packets = [film.shoot(NIGHT.later(n / 15)) for n in range(46)]
    assert [n for n, packet in enumerate(packets) if packet.keyframe] == [0, 15, 30, 45]
    for packet in packets:
        kinds = [nal[0] & 0x1F for nal in packet.data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]
        assert ({SPS, PPS, KEY_SLICE} <= set(kinds)) == packet.keyframe


def test_the_lamp_a_person_and_a_bag_can_be_seen() -> None:
    scene = StreetScene()
    dark = brightness(StreetFilm(SMALL, scene))
    scene.lamp(on=True)
    lit = brightness(StreetFilm(SMALL, scene))
    scene.person_appears()
    walked_through = decode([StreetFilm(SMALL, scene).shoot(NIGHT)])[0]
    scene.person_leaves()
    empty = decode([StreetFilm(SMALL, scene).shoot(NIGHT)])[0]
    scene.cover()
    covered = brightness(StreetFilm(SMALL, scene))
    scene.uncover()
    assert covered < dark < lit
    assert brightness(StreetFilm(SMALL, scene)) == lit
    assert np.abs(walked_through.astype(int) - empty)[40:160].max() > 15


def test_frames_come_in_real_time_and_end_when_the_camera_is_closed() -> None:
    camera = SyntheticCamera(SMALL, StreetScene())
    taken = [packet.taken_s for packet in itertools.islice(camera.packets(), 20)]
    assert all(later - earlier > 0 for earlier, later in itertools.pairwise(taken))
    assert taken[-1] - taken[0] >= 19 / 15 - 0.01
    threading.Timer(0.2, camera.close).start()
    assert all(packet.data for packet in camera.packets())


def test_a_frozen_camera_is_lost_after_two_seconds_without_a_frame() -> None:
    scene = StreetScene()
    camera = SyntheticCamera(SMALL, scene)
    packets = camera.packets()
    next(packets)
    scene.freeze()
    with pytest.raises(HardwareLost, match="no frame for 2 s"):
        next(packets)
    scene.thaw()
    assert next(SyntheticCamera(SMALL, scene).packets()).keyframe


def test_an_unplugged_camera_is_lost_at_once_and_cannot_be_opened() -> None:
    scene = StreetScene()
    packets = SyntheticCamera(SMALL, scene).packets()
    next(packets)
    scene.unplug()
    with pytest.raises(HardwareLost, match="cable"):
        next(packets)
    with pytest.raises(HardwareLost, match="cable"):
        SyntheticCamera(SMALL, scene)
    scene.plug_in()
    assert next(SyntheticCamera(SMALL, scene).packets()).keyframe
