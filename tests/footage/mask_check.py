"""Looks under the masks of recorded film: a mask that was missing for one picture is seen.

H.264 gives back no picture exactly: at a mask's edge what lies beside it bleeds in, by up to a transform block of four
pixels. So the outermost four pixels are not looked at, and further in nothing may be brighter, or more colourful, than
`NOISE` above black. What lies under the masks of these tests is far more than that in every picture (they prove it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from agent.config.filming import MaskSettings
from agent.hw.kit import Picture
from fakes.night_street import Planes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from agent.config.filming import CameraSettings
    from agent.hw.kit import Packet

BLACK, COLOURLESS = 16, 128
EDGE_CELLS = 2
"""Four pixels."""
NOISE = 24
"""Of 255. Masked film has up to 7 there at 500 kbit/s and up to 16 where 100 kbit/s starve it; without its masks all of
these films are more than 90 above black there in nearly every pixel (measured; the tests hold both apart)."""
SHOP_WINDOW = (
    MaskSettings(
        name="window", points=((0.24, 0.3), (0.62, 0.3), (0.62, 0.85), (0.5, 0.55), (0.35, 0.8), (0.24, 0.66))
    ),
)
"""The lit window and the path before it: a concave mask that a walker comes through."""
DOOR_AND_CLOCK = (
    MaskSettings(name="door", points=((0.64, 0.3), (0.76, 0.32), (0.76, 0.8), (0.64, 0.7))),
    MaskSettings(name="clock", points=((0.0, 0.9), (0.5, 0.9), (0.5, 1.0), (0.0, 1.0))),
)
"""Disjoint from the other set; under the clock's mask the cells of the frame clock flicker from picture to picture."""


@dataclass(frozen=True)
class MaskCheck:
    """What one set of masks covers in all certainty."""

    cells: NDArray[np.bool_]
    pixels: NDArray[np.bool_]

    @classmethod
    def of(cls, camera: CameraSettings) -> MaskCheck:
        """The inside of this camera's masks."""
        covered = camera.covered()
        bits = np.array([[row >> x & 1 for x in range(covered.columns)] for row in covered.rows], dtype=np.bool_)
        around = np.pad(bits, EDGE_CELLS, constant_values=True)  # at the picture's edge nothing bleeds in
        sides = np.lib.stride_tricks.sliding_window_view(around, (2 * EDGE_CELLS + 1, 2 * EDGE_CELLS + 1))
        inside = np.asarray(sides.all(axis=(2, 3)))
        assert inside.sum() > 100, "a mask worth looking under"
        return cls(inside, inside.repeat(2, axis=0).repeat(2, axis=1))

    def noise(self, picture: Picture) -> int:
        """How far the worst pixel under the masks is from black."""
        colours = [np.abs(plane[self.cells].astype(np.int16) - COLOURLESS).max() for plane in (picture.cb, picture.cr)]
        return int(max(np.abs(picture.luma[self.pixels].astype(np.int16) - BLACK).max(), *colours))

    def unmasked(self, pictures: Iterable[Picture]) -> list[int]:
        """The places of the pictures in which anything can be seen under a mask."""
        return [n for n, picture in enumerate(pictures) if self.noise(picture) > NOISE]


def pictures_of(path: Path) -> Iterator[Picture]:
    """The pictures of a stored segment; fails on any decoding error."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.options = {"err_detect": "explode"}
        yield from map(_planes, container.decode(video=0))


def pictures_in(packets: Iterable[Packet]) -> Iterator[Picture]:
    """The pictures of encoded frames."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    for packet in packets:
        yield from map(_planes, decoder.decode(av.Packet(packet.data)))
    yield from map(_planes, decoder.decode(None))


def _planes(frame: av.VideoFrame) -> Picture:
    planes = Planes(frame.to_ndarray(format="yuv420p").astype(np.uint8, copy=False))
    return Picture(planes.luma, *planes.colours)
