"""Where a picture's planes lie in the camera's buffer."""

from __future__ import annotations

import numpy as np
import pytest

from agent.hw.planes import INTERLEAVED, PLANAR, picture_in

WIDTH, HEIGHT, STRIDE = 6, 4, 16
"""Rows are padded, as a Pi's are to 64 bytes."""
BYTES = HEIGHT * STRIDE * 3 // 2


@pytest.mark.parametrize("layout", [PLANAR, INTERLEAVED])
def test_what_is_drawn_lands_in_the_picture_and_never_in_the_padding(layout: str) -> None:
    buffer = np.zeros(BYTES + 100, dtype=np.uint8)
    picture = picture_in(buffer, layout, (WIDTH, HEIGHT), STRIDE)
    picture.luma[:], picture.cb[:], picture.cr[:] = 1, 2, 3

    rows = buffer[:BYTES].reshape(HEIGHT * 3 // 2, STRIDE)
    assert rows[:HEIGHT].tolist() == [[1] * WIDTH + [0] * (STRIDE - WIDTH)] * HEIGHT
    colours = rows[HEIGHT:]
    if layout == PLANAR:
        planes = colours.reshape(2, HEIGHT // 2, STRIDE // 2)
        for plane, value in zip(planes, (2, 3), strict=True):
            assert plane.tolist() == [[value] * (WIDTH // 2) + [0] * (STRIDE // 2 - WIDTH // 2)] * (HEIGHT // 2)
    else:
        assert colours.tolist() == [[2, 3] * (WIDTH // 2) + [0] * (STRIDE - WIDTH)] * (HEIGHT // 2)
    assert not buffer[BYTES:].any(), "what follows the picture"


def test_a_layout_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="pictures in MJPEG cannot be drawn on"):
        picture_in(np.zeros(BYTES, dtype=np.uint8), "MJPEG", (WIDTH, HEIGHT), STRIDE)


def test_a_buffer_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        picture_in(np.zeros(BYTES - 1, dtype=np.uint8), PLANAR, (WIDTH, HEIGHT), STRIDE)
