"""Makes one JPEG of three moments side by side: before, at and after a trigger.

A still shows that somebody is there; three pictures show where they came from and which way they went, in one file
that is as light as the still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from agent.footage.show.stills import nearest_shot, to_jpeg
from agent.footage.store.incident_files import complete_file, sha256_of
from agent.footage.store.timeline import NoFootage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from agent.footage.show.stills import Shot
    from agent.hw.kit import Packet

APART_S = 2.0
"""From one picture to the next. A sensor speaks late: a button is pressed after its owner came to it, a phrase is known
when it was said. In two seconds a walker goes three metres and a runner ten: seen to have moved, and mostly still in
the picture. Longer would hold the strip back, which an operator has before anything that moves."""
REACH_S = APART_S / 2
"""No frame stands for two pictures of a strip: one that is further away shows neither moment."""
WIDTH_PX = 426
"""Of one picture: three fill 1280, the width of one 720p still, so that both weigh the same and fit the same screen."""
JOINT_PX = 2
"""White between two pictures, so that a dark street does not run into the next one."""
GREY, BLACK, WHITE = 110, 0, 255
CROSS_PX = 3


@dataclass(frozen=True)
class Strip:
    """A finished strip."""

    path: Path
    sha256: str
    size_bytes: int
    first_s: float
    last_s: float
    """When the first and the last of its pictures were taken, on CLOCK_MONOTONIC."""
    missing: int
    """Pictures of the three that there are not."""


def moments_of(at_s: float) -> tuple[float, float, float]:
    """Before, at and after the trigger."""
    return at_s - APART_S, at_s, at_s + APART_S


def take_strip(frames_to: Callable[[float], Iterable[Packet]], at_s: float, target: Path) -> Strip:
    """Store the pictures before, at and after `at_s`; a crossed-out field stands where there is none.

    Args:
        frames_to: Gives the footage from at least `REACH_S` before a moment to it, from a key frame on.
        at_s: The moment of the trigger, on CLOCK_MONOTONIC.
        target: The JPEG.

    Raises:
        NoFootage: there is none of the three.
        OSError: the disk does not take it.
    """
    shots = [_shot(frames_to(moment_s), moment_s) for moment_s in moments_of(at_s)]
    there = [shot for shot in shots if shot is not None]
    if not there:
        msg = f"no frame from {APART_S:.0f} s before to {APART_S:.0f} s after the moment is stored"
        raise NoFootage(msg)
    height_px = max(2, round(WIDTH_PX * there[0].picture.height / there[0].picture.width / 2) * 2)
    jpeg = to_jpeg(av.VideoFrame.from_ndarray(_side_by_side(shots, height_px), format="rgb24"))
    with complete_file(target) as part:
        part.write_bytes(jpeg)
        sha256 = sha256_of(part)
    return Strip(target, sha256, len(jpeg), there[0].taken_s, there[-1].taken_s, shots.count(None))


def _shot(frames: Iterable[Packet], moment_s: float) -> Shot | None:
    try:
        return nearest_shot(frames, moment_s, REACH_S)
    except NoFootage:
        return None


def _side_by_side(shots: list[Shot | None], height_px: int) -> NDArray[np.uint8]:
    joint = np.full((height_px, JOINT_PX, 3), WHITE, dtype=np.uint8)
    fields = [crossed_out(height_px) if shot is None else _small(shot, height_px) for shot in shots]
    return np.hstack([fields[0], joint, fields[1], joint, fields[2]])


def _small(shot: Shot, height_px: int) -> NDArray[np.uint8]:
    return shot.picture.reformat(WIDTH_PX, height_px, format="rgb24").to_ndarray().astype(np.uint8)


def crossed_out(height_px: int) -> NDArray[np.uint8]:
    """What stands for a picture that there is not: no camera sees a grey field with a cross from corner to corner."""
    field = np.full((height_px, WIDTH_PX, 3), GREY, dtype=np.uint8)
    rows = np.arange(height_px)
    for shift in range(CROSS_PX):
        columns = np.minimum(rows * WIDTH_PX // height_px + shift, WIDTH_PX - 1)
        field[rows, columns] = field[rows, WIDTH_PX - 1 - columns] = BLACK
    return field
