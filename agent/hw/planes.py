"""How a picture lies in a camera's buffer: views of its planes, for either of the two 4:2:0 layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.hw.kit import Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLANAR, INTERLEAVED = "YUV420", "NV12"
"""libcamera's names: Cb and Cr in planes of their own (what a Pi gives), or by turns in one (the virtual camera)."""


def picture_in(buffer: NDArray[np.uint8], layout: str, size_px: tuple[int, int], stride: int) -> Picture:
    """Views into this buffer, which is written to by drawing on them.

    Args:
        buffer: All bytes of the picture in one row; what follows them is left alone.
        layout: libcamera's name of it.
        size_px: Width and height of the picture, both even.
        stride: Bytes from the beginning of one row of brightness to the next: the hardware pads rows.

    Raises:
        ValueError: the layout is none of 8-bit 4:2:0, or the buffer is too small for it.
    """
    width, height = size_px
    split = height * stride
    colours = buffer[split : split + split // 2]
    luma = buffer[:split].reshape(height, stride)[:, :width]
    if layout == PLANAR:
        cb, cr = colours.reshape(2, height // 2, stride // 2)[:, :, : width // 2]
    elif layout == INTERLEAVED:
        both = colours.reshape(height // 2, stride)[:, :width]
        cb, cr = both[:, 0::2], both[:, 1::2]
    else:
        msg = f"pictures in {layout} cannot be drawn on"
        raise ValueError(msg)
    return Picture(luma, cb, cr)
