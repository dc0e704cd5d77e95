"""The production recorder on the real camera stack: what the sensor saw is what lies on the disk."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from agent.footage.store.index import FootageIndex
from agent.footage.store.transport import read_frames
from agent.helpers.messages import Trouble, TroubleOver, Working
from agent.hw.picamera import PiCamera
from tests.footage.daemon_end import recording_from
from tests.footage.film import FRAME_S, clocks
from tests.hw.virtual_camera import PICTURES, SHOWN_TIMES, Sensor

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.filming import CameraSettings
    from agent.hw.kit import BurnIn, Packet, Picture

pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")  # picamera2's own

BUFFERS = 4
"""Of the virtual camera: so many frames may be on their way when it is closed."""


def in_software(settings: CameraSettings, burn_in: BurnIn) -> PiCamera:
    return PiCamera(settings.model_copy(update={"encoder": "software"}), burn_in)


def segments(folder: Path) -> tuple[list[list[Packet]], list[Path]]:
    """What the footage folder holds, each segment for itself, oldest first."""
    index = FootageIndex(folder / "footage" / "index.sqlite", folder / "footage" / "segments")
    stored = index.segments()
    index.close()
    frames, paths = [], []
    for segment in stored:
        path = folder / "footage" / "segments" / str(segment.name)
        with path.open("rb") as file:
            frames.append(list(read_frames(file, segment.name.start.monotonic_s, segment.name.frame_s)))
        paths.append(path)
    return frames, paths


def seen(paths: list[Path]) -> list[tuple[int, int]]:
    """The sensor's pictures as they lie on the disk, each with how many frames it is there for."""
    numbers = [clock.number for path in paths for clock in clocks(path)]
    return [(number, len(list(run))) for number, run in itertools.groupby(numbers)]


def test_every_frame_is_stored_and_segments_join_one_frame_apart(tmp_path: Path, sensor: Sensor) -> None:
    with recording_from(tmp_path, in_software) as daemon:
        proof = daemon.hears(Working, lambda proof: proof.done >= 65)
    stored, paths = segments(tmp_path)
    frames = list(itertools.chain(*stored))

    assert len(stored) >= 3
    assert proof.done <= len(frames) <= sensor.exposed <= len(frames) + BUFFERS
    # Each picture is shown a known number of times, in turn: a frame that is missing, doubled or out of turn would
    # show, at the joins as within. The end may cut the last one short.
    runs = seen(paths)
    assert sum(times for _, times in runs) == len(frames)
    assert [times for _, times in runs[:-1]] == [SHOWN_TIMES] * (len(runs) - 1)
    assert [number for number, _ in runs] == [n % PICTURES for n in range(len(runs))]


@pytest.mark.usefixtures("sensor")
def test_a_picture_that_cannot_be_drawn_on_is_not_stored_but_told_and_recovered_from(tmp_path: Path) -> None:
    drawn = itertools.count()
    whole = 5

    def fails_once(_picture: Picture, _taken_s: float) -> None:
        if next(drawn) == whole * SHOWN_TIMES:
            msg = "out of ink"
            raise ValueError(msg)

    with recording_from(tmp_path, lambda settings, _: in_software(settings, fails_once)) as daemon:
        assert "out of ink" in daemon.hears(Trouble, lambda trouble: trouble.code == "camera-lost").text
        daemon.hears(TroubleOver, lambda over: over.code == "camera-lost")
        assert daemon.hears(Working, lambda proof: proof.lost > 0).done > whole * SHOWN_TIMES
    runs = seen(segments(tmp_path)[1])

    assert runs[:whole] == [(number, SHOWN_TIMES) for number in range(whole)], "all that came before"
    assert runs[whole] == (0, SHOWN_TIMES), "opened again, the camera begins anew"


def test_a_stall_of_the_stack_is_told_counted_and_recovered_from(tmp_path: Path, sensor: Sensor) -> None:
    with recording_from(tmp_path, in_software) as daemon:
        daemon.hears(Working)
        sensor.stall()
        assert "gave nothing for 2 s" in daemon.hears(Trouble, lambda trouble: trouble.code == "camera-lost").text
        sensor.resume()
        daemon.hears(TroubleOver, lambda over: over.code == "camera-lost")
        assert daemon.hears(Working, lambda proof: proof.lost > 0).lost >= 2 / FRAME_S - 1
    stored, paths = segments(tmp_path)
    assert all(stored)
    assert seen(paths)
