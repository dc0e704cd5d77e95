"""A still shows the moment that was asked for, and is light enough to be sent at once."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from agent.footage.show.stills import MAX_BYTES, REACH_S, Still, take_still, to_jpeg
from agent.footage.store.segments import boot_of
from agent.footage.store.timeline import NoFootage, frames_between
from fakes.frame_clock import FrameClock, read_frame_clock
from tests.footage.film import FPS, START, film, store

if TYPE_CHECKING:
    from pathlib import Path

    from agent.footage.store.index import FootageIndex

BEGIN = START.monotonic_s


def shoot(index: FootageIndex, folder: Path, at: float) -> Still:
    at_s = BEGIN + at
    return take_still(frames_between(index, boot_of(START), at_s - REACH_S, at_s), at_s, folder / "still.jpg")


def clock_of(jpeg: bytes) -> FrameClock:
    return read_frame_clock(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), dtype=np.uint8))


@pytest.mark.parametrize(
    ("at", "number"), [(0.0, 0), (0.02, 0), (0.05, 1), (1.99, 30), (2.0, 30), (3.61, 54), (3.95, 59)]
)
def test_a_still_is_the_frame_nearest_to_its_moment(tmp_path: Path, at: float, number: int) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    still = shoot(index, tmp_path, at)
    index.close()
    assert clock_of(still.path.read_bytes()).number == number
    assert still.taken_s == pytest.approx(film(4)[number].taken_s, abs=1e-4)
    assert still.size_bytes == still.path.stat().st_size <= MAX_BYTES


def test_a_moment_without_a_frame_nearby_gives_no_still(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    with pytest.raises(NoFootage, match="within 2 s"):
        shoot(index, tmp_path, 8)
    index.close()
    assert not list(tmp_path.glob("*still*"))


def test_the_last_frame_before_the_camera_died_is_shown(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    still = shoot(index, tmp_path, 5)
    index.close()
    assert clock_of(still.path.read_bytes()).number == 4 * FPS - 1


def test_even_a_noisy_big_picture_becomes_light_enough() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1620, 1920), dtype=np.uint8)
    picture = av.VideoFrame.from_ndarray(noise, format="yuv420p")
    jpeg = to_jpeg(picture)
    assert len(jpeg) <= MAX_BYTES
    shown = Image.open(io.BytesIO(jpeg))
    assert shown.size[0] / shown.size[1] == pytest.approx(1920 / 1080, rel=0.05)


def test_a_plain_picture_keeps_its_size_and_its_brightness() -> None:
    grey = np.full((540, 640), 128, dtype=np.uint8)
    grey[:180] = 235
    shown = Image.open(io.BytesIO(to_jpeg(av.VideoFrame.from_ndarray(grey, format="yuv420p"))))
    assert shown.size == (640, 360)
    assert np.asarray(shown.convert("L"))[20, 20] > 250, "video white is JPEG white"
