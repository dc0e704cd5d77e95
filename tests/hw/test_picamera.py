"""The Pi's camera: what reaches the recorder, and when it is lost."""

from __future__ import annotations

import contextlib
import itertools
import sys
from typing import TYPE_CHECKING

import pytest

from agent.config.settings import CameraSettings
from agent.hw import ending
from agent.hw.intake import Intake
from agent.hw.kit import HardwareLost, Packet
from agent.hw.packet_gate import PacketGate
from agent.hw.picamera import PiCamera
from fakes.camera import burn_nothing
from tests.hw.ribbon import H264Encoder, LibavH264Encoder, Platform, Ribbon

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = CameraSettings(enabled=True, name="north", fps=10, bitrate_kbps=1500)


@pytest.fixture
def ribbon(monkeypatch: pytest.MonkeyPatch) -> Ribbon:
    return Ribbon.into(monkeypatch, Platform.PISP)


@contextlib.contextmanager
def camera_on(ribbon: Ribbon) -> Iterator[PiCamera]:
    camera = PiCamera(SETTINGS, burn_nothing)
    try:
        yield camera
    finally:
        ribbon.straighten()
        camera.close()


@pytest.mark.parametrize(("platform", "encoder"), [(Platform.VC4, H264Encoder), (Platform.PISP, LibavH264Encoder)])
def test_each_board_encodes_as_it_can_with_a_key_frame_a_second(
    monkeypatch: pytest.MonkeyPatch, platform: Platform, encoder: type
) -> None:
    ribbon = Ribbon.into(monkeypatch, platform)
    with camera_on(ribbon):
        assert type(ribbon.encoder) is encoder
        assert ribbon.encoder is not None
        assert ribbon.encoder.settings == {"bitrate": 1_500_000, "repeat": True, "iperiod": 10, "framerate": 10}
        assert ribbon.configuration["main"] == {"size": (1280, 720), "format": "YUV420"}
        assert ribbon.configuration["controls"] == {"FrameDurationLimits": (100_000, 100_000)}


def test_frames_carry_the_sensors_own_time(ribbon: Ribbon) -> None:
    with camera_on(ribbon) as camera:
        ribbon.frame(0, keyframe=True)
        ribbon.frame(1)
        packets = list(itertools.islice(camera.packets(), 2))

    assert packets == [
        Packet(b"frame 0", keyframe=True, taken_s=5.0, frame_s=0.1),
        Packet(b"frame 1", keyframe=False, taken_s=5.1, frame_s=0.1),
    ]


def test_a_camera_that_gives_no_frame_for_two_seconds_is_lost(ribbon: Ribbon) -> None:
    with camera_on(ribbon) as camera, pytest.raises(HardwareLost, match=r"^camera 'north' gave nothing for 2 s$"):
        next(camera.packets())


def test_close_cancels_what_waits_before_it_stops(ribbon: Ribbon) -> None:
    with camera_on(ribbon) as camera:
        camera.close()

        assert list(camera.packets()) == []
    assert ribbon.calls == ["start", "cancel_all_and_flush", "stop_encoder", "stop", "close"]


def test_close_returns_even_when_the_camera_stack_hangs(ribbon: Ribbon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "ENDS_WITHIN_S", 0.05)
    with camera_on(ribbon) as camera:
        ribbon.disturb()
        camera.close()

        assert "stop" not in ribbon.calls


def test_without_a_camera_the_unit_says_so(ribbon: Ribbon) -> None:
    ribbon.plugged = False

    with pytest.raises(HardwareLost, match="camera 'north' cannot be opened"):
        PiCamera(SETTINGS, burn_nothing)


def test_a_camera_that_refuses_its_settings_is_freed_and_named(ribbon: Ribbon) -> None:
    ribbon.refuses_size = True

    with pytest.raises(HardwareLost, match="camera 'north' does not start: Invalid size"):
        PiCamera(SETTINGS, burn_nothing)
    assert ribbon.calls[-1] == "close"


def test_a_missing_picamera2_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcamera", None)

    with pytest.raises(HardwareLost, match=r"libcamera is not installed: apt install .*python3-picamera2"):
        PiCamera(SETTINGS, burn_nothing)


def gate(capacity: int) -> tuple[PacketGate, Iterator[Packet]]:
    intake: Intake[Packet] = Intake("the camera", capacity, silent_after_s=0.0)
    return PacketGate(intake), iter(intake)


def test_after_a_loss_the_stream_goes_on_at_the_next_key_frame_which_counts_all_that_is_missing() -> None:
    through, packets = gate(capacity=2)
    for number in range(4):  # 2 and 3 find the queue full
        through.take(b"", float(number), 0.1, keyframe=number == 0)
    read = [next(packets), next(packets)]
    for number in range(4, 9):  # 4 and 5 would fit, but cannot be decoded without 2 and 3
        through.take(b"", float(number), 0.1, keyframe=number == 6)
        if number >= 6:
            read.append(next(packets))

    assert [(packet.taken_s, packet.lost) for packet in read] == [(0, 0), (1, 0), (6, 4), (7, 0), (8, 0)]


def test_what_comes_before_the_first_key_frame_is_lost() -> None:
    through, packets = gate(capacity=5)
    through.take(b"", 1.0, 0.1, keyframe=False)
    through.take(b"", 2.0, 0.1, keyframe=True)

    assert next(packets) == Packet(b"", keyframe=True, taken_s=2.0, frame_s=0.1, lost=1)


def test_time_never_stands_still() -> None:
    through, packets = gate(capacity=5)
    for taken_s in (1.0, 2.0, 2.0, 1.5, 3.0):
        through.take(b"", taken_s, 0.1, keyframe=True)

    assert [(packet.taken_s, packet.lost) for packet in itertools.islice(packets, 3)] == [(1, 0), (2, 0), (3, 2)]
