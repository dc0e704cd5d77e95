"""The newest picture of the unit's footage, for whoever stands before its camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.cli.errors import UsageError
from agent.cli.footage.desk import open_desk
from agent.cli.footage.still import nearest
from agent.commission.machine import Picture, PictureMissing
from agent.footage.show.stills import to_jpeg

if TYPE_CHECKING:
    import argparse

FRESH_S = 15.0
"""A picture that is older shows another moment: segments are written as they come, and made safe each second."""
MOST_STILL_BYTES = 1_500_000
"""Two of them and the sheet around them are still a file that can be sent."""


def newest_picture(args: argparse.Namespace) -> Picture:
    """The newest picture of the footage on the disk, of full size.

    Raises:
        PictureMissing: there is none.
    """
    try:
        desk = open_desk(args)
        if not desk.chronology.eras:
            msg = "nothing was recorded yet"
            raise PictureMissing(msg)
        era, shot = nearest(desk.chronology.eras[-1].end, desk)
    except UsageError as error:
        raise PictureMissing(str(error)) from error
    taken = era.moment(shot.taken_s)
    age_s = (desk.now - taken).total_seconds()
    if age_s > FRESH_S:
        msg = f"the newest one is {age_s:.0f} s old: is it recording?"
        raise PictureMissing(msg)
    luma = shot.picture.to_ndarray(format="gray").astype(np.uint8)
    return Picture(to_jpeg(shot.picture, max_bytes=MOST_STILL_BYTES), luma, taken.isoformat(timespec="seconds"))
