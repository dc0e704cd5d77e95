"""Pictures that were drawn on while a camera filmed: what is drawn, and how to read it from the encoded frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from fakes.frame_clock import FrameClock, draw_frame_clock, read_frame_clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from agent.hw.kit import Packet, Picture

SPS, PPS, KEY_SLICE = 7, 8, 5
STAMP_PX = 32
STAMP_LUMA, STAMP_CB, STAMP_CR = 200, 90, 200


@dataclass
class Stamp:
    """Draws a frame clock of its own at the bottom and a coloured square at the top left."""

    drawn: int = 0
    fails_at: int | None = None

    def __call__(self, picture: Picture, taken_s: float) -> None:
        number, self.drawn = self.drawn, self.drawn + 1
        if number == self.fails_at:
            msg = "out of ink"
            raise ValueError(msg)
        draw_frame_clock(picture.luma, FrameClock(number, int(taken_s * 1000)))
        picture.luma[:STAMP_PX, :STAMP_PX] = STAMP_LUMA
        picture.cb[: STAMP_PX // 2, : STAMP_PX // 2] = STAMP_CB
        picture.cr[: STAMP_PX // 2, : STAMP_PX // 2] = STAMP_CR


def decode(packets: Iterable[Packet]) -> list[NDArray[np.uint8]]:
    """The pictures, as yuv420p arrays; fails on any that does not decode."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode"}
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
    frames += decoder.decode(None)
    return [frame.reformat(format="yuv420p").to_ndarray().astype(np.uint8) for frame in frames]


def clocks(packets: Iterable[Packet]) -> list[FrameClock]:
    return [read_frame_clock(whole[: whole.shape[0] * 2 // 3]) for whole in decode(packets)]


def begins_anew(packet: Packet) -> bool:
    """Whether a decoder could begin here: a key frame with its parameter sets in band."""
    kinds = {nal[0] & 0x1F for nal in packet.data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal}
    return {SPS, PPS, KEY_SLICE} <= kinds
