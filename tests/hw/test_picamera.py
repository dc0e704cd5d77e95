"""The Pi's camera on the real stack: which encoder it takes, every way in which it can fail, and how it is freed."""

from __future__ import annotations

import contextlib
import itertools
import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.filming import CameraSettings
from agent.footage.record.tally import Tally
from agent.hw import ending
from agent.hw.kit import BurnIn, HardwareHangs, HardwareLost, Packet, Picture, Rate
from agent.hw.picamera import PiCamera
from fakes.camera import burn_nothing
from tests.hw.late_encoder import late_encoder
from tests.hw.stamped import Stamp, begins_anew, clocks
from tests.hw.virtual_camera import LIMIT_S, Sensor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")  # picamera2's own

SETTINGS = CameraSettings(
    enabled=True, name="north", width_px=320, height_px=180, fps=10, bitrate_kbps=300, encoder="software"
)
HARDWARE_ENCODER = Path("/dev/video11")
"""Where picamera2 looks for the Pi 4's."""


@contextlib.contextmanager
def filming(sensor: Sensor, settings: CameraSettings = SETTINGS, burn_in: BurnIn = burn_nothing) -> Iterator[PiCamera]:
    camera = PiCamera(settings, burn_in)
    try:
        yield camera
    finally:
        sensor.straighten()
        camera.close()


def can_be_opened_again(sensor: Sensor) -> bool:
    with filming(sensor) as camera:
        return next(camera.packets()).keyframe


def counted(packets: list[Packet]) -> Tally:
    """What the recorder would count."""
    tally = Tally()
    for packet in packets:
        tally.wrote(packet)
    tally.synced()
    return tally


def test_a_board_without_an_encoder_encodes_in_software(sensor: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    from picamera2 import platform  # noqa: PLC0415 - there is one only with the stack

    monkeypatch.setattr(platform, "_platform", platform.Platform.PISP)
    with filming(sensor, SETTINGS.model_copy(update={"encoder": "auto"})) as camera:
        assert next(camera.packets()).keyframe


@pytest.mark.skipif(HARDWARE_ENCODER.exists(), reason="this machine has an encoder of its own")
@pytest.mark.parametrize("encoder", ["auto", "hardware"])
def test_the_boards_encoder_is_taken_where_there_should_be_one_and_missed_by_name(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch, encoder: str
) -> None:
    from picamera2 import platform  # noqa: PLC0415 - there is one only with the stack

    monkeypatch.setattr(platform, "_platform", platform.Platform.VC4)
    with pytest.raises(HardwareLost, match=f"camera 'north' does not start: .*{HARDWARE_ENCODER}"):
        PiCamera(SETTINGS.model_copy(update={"encoder": encoder}), burn_nothing)
    assert can_be_opened_again(sensor)


def test_an_encoder_that_gives_frames_late_loses_none_when_the_rate_changes(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from picamera2 import encoders  # noqa: PLC0415 - there is one only with the stack

    monkeypatch.setattr(encoders, "H264Encoder", late_encoder())
    taken: list[Packet] = []
    with filming(sensor, SETTINGS.model_copy(update={"encoder": "hardware"}), Stamp()) as camera:
        packets = camera.packets()
        taken += itertools.islice(packets, 3)
        for rate in (Rate(25, 300), Rate(8, 200)):
            camera.change_rate(rate)
            while taken[-1].frame_s != rate.frame_s:
                taken.append(next(packets))
            assert begins_anew(taken[-1])
            taken += itertools.islice(packets, 4)

    assert [clock.number for clock in clocks(taken)] == list(range(len(taken)))


def test_without_a_camera_the_unit_says_so(sensor: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    import picamera2  # noqa: PLC0415 - there is one only with the stack

    with monkeypatch.context() as patch:
        patch.setattr(picamera2.Picamera2, "global_camera_info", list)
        with pytest.raises(HardwareLost, match=r"^camera 'north' cannot be opened: no camera is connected$"):
            PiCamera(SETTINGS, burn_nothing)
    assert can_be_opened_again(sensor)


def test_a_camera_that_films_another_size_is_refused_since_masks_would_cover_something_else(sensor: Sensor) -> None:
    with pytest.raises(HardwareLost, match=r"camera 'north' does not start: it films \(1280, 720\)"):
        PiCamera(SETTINGS.model_copy(update={"width_px": 800, "height_px": 600}), burn_nothing)
    assert can_be_opened_again(sensor)


def test_a_missing_picamera2_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcamera", None)

    with pytest.raises(HardwareLost, match=r"libcamera is not installed: apt install .*python3-picamera2"):
        PiCamera(SETTINGS, burn_nothing)


def test_frames_that_the_camera_dropped_show_in_the_times_of_those_around_them(sensor: Sensor) -> None:
    with filming(sensor) as camera:
        packets = camera.packets()
        taken = list(itertools.islice(packets, 3))
        sensor.drop(8)
        taken += itertools.islice(packets, 5)

    assert counted(taken).lost == pytest.approx(sensor.drops, abs=2)
    assert sensor.drops >= 8


def test_a_callback_that_holds_all_buffers_costs_frames_that_are_counted_and_nothing_else(sensor: Sensor) -> None:
    pictures = itertools.count()

    def holds_on_once(_picture: Picture, _taken_s: float) -> None:
        if next(pictures) == 3:
            sensor.wait_for_drops(6)

    with filming(sensor, burn_in=holds_on_once) as camera:
        taken = list(itertools.islice(camera.packets(), 12))

    assert counted(taken).lost == pytest.approx(sensor.drops, abs=2)
    assert sensor.drops >= 6


def test_a_picture_that_passed_the_drawing_by_is_not_let_out(sensor: Sensor) -> None:
    with filming(sensor) as camera:
        packets = camera.packets()
        next(packets)
        camera._camera.pre_callback = None
        with pytest.raises(HardwareLost, match="camera 'north' gave a picture to its encoder that was not drawn on"):
            list(packets)
    assert can_be_opened_again(sensor)


def test_an_exception_inside_of_picamera2_ends_its_thread_and_is_seen_as_silence(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what pytest keeps of an exception would keep the camera alive
    ended: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda hooked: ended.append(str(hooked.exc_value)))
    monkeypatch.setattr(logging.getLogger("picamera2.previews.null_preview"), "disabled", True)

    def fails(_request: object) -> None:
        msg = "somewhere in picamera2"
        raise RuntimeError(msg)

    with filming(sensor) as camera:
        packets = camera.packets()
        next(packets)
        camera._camera.post_callback = fails
        with pytest.raises(HardwareLost, match="camera 'north' gave nothing for 2 s"):
            list(packets)
    assert ended == ["somewhere in picamera2"]
    assert can_be_opened_again(sensor)


def test_a_rate_that_the_sensor_does_not_take_loses_the_camera(sensor: Sensor) -> None:
    with filming(sensor) as camera:
        packets = camera.packets()
        next(packets)
        sensor.stick()
        camera.change_rate(Rate(30, 300))
        with pytest.raises(HardwareLost, match="cannot film at 30 fps, 300 kbit/s: it does not film as fast"):
            list(packets)


def test_closing_while_the_rate_changes_ends_both(sensor: Sensor) -> None:
    with filming(sensor) as camera:
        next(camera.packets())
        sensor.stall()
        camera.change_rate(Rate(6, 300))
        camera.change_rate(Rate(30, 300))


def test_a_camera_that_does_not_come_back_from_being_stopped_is_told_at_once(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "ENDS_WITHIN_S", 0.5)
    with filming(sensor) as camera:
        next(camera.packets())
        sensor.disturb()
        with pytest.raises(HardwareHangs, match="the camera does not come back from being stopped"):
            camera.close()
        assert list(camera.packets()) == []
        (hanging,) = (thread for thread in threading.enumerate() if thread.name == "camera-end")
        sensor.straighten()
        hanging.join(LIMIT_S)
    assert can_be_opened_again(sensor)
