"""A strip shows where somebody came from and went to, is as light as a still, and hides nothing that is missing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from agent.footage.show.stills import MAX_BYTES
from agent.footage.show.strips import APART_S, JOINT_PX, REACH_S, WIDTH_PX, Strip, crossed_out, take_strip
from agent.footage.store.segments import boot_of
from agent.footage.store.timeline import NoFootage, frames_between
from fakes.frame_clock import read_frame_clock
from tests.footage.film import FPS, SETTINGS, START, film, store

if TYPE_CHECKING:
    from pathlib import Path

    from agent.footage.store.index import FootageIndex

BEGIN = START.monotonic_s
HEIGHT_PX = 240
BEFORE, AT, AFTER = range(3)


def shoot(index: FootageIndex, folder: Path, at: float) -> Strip:
    boot = boot_of(START)
    return take_strip(lambda s: frames_between(index, boot, s - REACH_S, s), BEGIN + at, folder / "strip.jpg")


def field(strip: Strip, place: int) -> Image.Image:
    """One of the three pictures."""
    whole = Image.open(strip.path)
    assert whole.size == (3 * WIDTH_PX + 2 * JOINT_PX, HEIGHT_PX)
    left = place * (WIDTH_PX + JOINT_PX)
    return whole.crop((left, 0, left + WIDTH_PX, HEIGHT_PX))


def number(strip: Strip, place: int) -> int:
    """Which frame one of the three pictures is."""
    shown = field(strip, place).resize((SETTINGS.width_px, SETTINGS.height_px)).convert("L")
    return read_frame_clock(np.asarray(shown, dtype=np.uint8)).number


def is_crossed_out(strip: Strip, place: int) -> bool:
    off = np.asarray(field(strip, place), dtype=int) - crossed_out(HEIGHT_PX)
    return bool(np.abs(off).mean() < 5)


def test_a_strip_shows_two_seconds_before_the_trigger_the_trigger_and_two_seconds_after_it(tmp_path: Path) -> None:
    index = store(tmp_path, film(8), 2 * FPS)
    strip = shoot(index, tmp_path, 3.0)
    index.close()
    apart = int(APART_S * FPS)
    assert [number(strip, place) for place in (BEFORE, AT, AFTER)] == [3 * FPS - apart, 3 * FPS, 3 * FPS + apart]
    assert (strip.first_s, strip.last_s) == pytest.approx((BEGIN + 1, BEGIN + 5), abs=1e-3)
    assert strip.missing == 0
    assert strip.size_bytes == strip.path.stat().st_size <= MAX_BYTES
    assert strip.sha256 == hashlib.sha256(strip.path.read_bytes()).hexdigest()


def test_a_recording_that_has_just_begun_has_no_picture_before_the_trigger(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    strip = shoot(index, tmp_path, 0.6)
    index.close()
    assert is_crossed_out(strip, BEFORE)
    assert [number(strip, place) for place in (AT, AFTER)] == [9, 39]
    assert strip.missing == 1
    assert strip.first_s == pytest.approx(BEGIN + 9 / FPS, abs=1e-3)


def test_a_camera_that_was_lost_at_the_trigger_leaves_the_picture_before_it(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    strip = shoot(index, tmp_path, 5.6)
    index.close()
    assert number(strip, BEFORE) == 54
    assert is_crossed_out(strip, AT)
    assert is_crossed_out(strip, AFTER)
    assert (strip.missing, strip.first_s) == (2, strip.last_s)


def test_no_frame_stands_for_two_pictures(tmp_path: Path) -> None:
    index = store(tmp_path, film(4)[: FPS * 2], 2 * FPS)
    strip = shoot(index, tmp_path, 3.4)  # 1.5 s after the last frame
    index.close()
    assert number(strip, BEFORE) == 21
    assert is_crossed_out(strip, AT)


def test_with_no_footage_there_is_no_strip_and_no_file(tmp_path: Path) -> None:
    index = store(tmp_path, film(2), 2 * FPS)
    with pytest.raises(NoFootage, match="from 2 s before to 2 s after"):
        shoot(index, tmp_path, 60)
    index.close()
    assert not list(tmp_path.glob("*strip*"))
