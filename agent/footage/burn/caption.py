"""The line of text in every picture: when it was taken, how far that clock may be believed, and by which unit.

Whoever sees a picture in court has nothing else in sight: so the time comes with its offset, and the clock's quality
in words that need no explanation.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from agent.clock import ClockQuality
from agent.footage.burn.masks import CELL_PX
from agent.footage.burn.placement import MARGIN_PX

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from agent.clock import Moment
    from agent.config.settings import UnitSettings
    from agent.footage.burn.placement import Spot

BLACK, WHITE = 16, 235
"""The ends of video's luma range (ITU-R BT.601)."""
CLOCK_WORDS = {
    ClockQuality.SYNCED: "clock checked",
    ClockQuality.HOLDOVER: "clock checked earlier",
    ClockQuality.UNSYNCED: "CLOCK MAY BE WRONG",
}
"""What a jury reads for each quality."""
BETWEEN = "  "
CUT = ".."
"""Stands where a name went on."""
LETTERS = "".join(chr(code) for code in range(0x20, 0x7F))
"""All that Pillow's own font is sure to have; the unit needs no font of the system."""
STAND_IN = "?"
SPACE_SHARE = 0.35
"""A space is this share of the letters' size wide: the font's own drowns in small pictures."""
SPELT = str.maketrans(
    {
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
    | {
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
    | {
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
    }
)
"""Letters and signs of European names that are no plain letter with a mark."""


def plain(text: str) -> str:
    """The text in `LETTERS`: marks are left off (Gŵyr: Gwyr), and what is still strange becomes a `?`."""
    apart = unicodedata.normalize("NFKD", text).translate(SPELT)
    return "".join(letter if letter in LETTERS else STAND_IN for letter in apart if not unicodedata.combining(letter))


def local_time(wall: datetime, zone: ZoneInfo) -> str:
    """`2026-11-24 17:03:12.4 GMT (UTC+00:00)`: local time to the tenth begun, its name if it has one, its offset."""
    local = wall.astimezone(zone)
    tenths = local.microsecond // 100_000
    name = local.tzname() or ""
    offset = f"UTC{local.replace(microsecond=0).isoformat()[19:]}"
    named = f"{name} ({offset})" if name.isalpha() and name != "UTC" else offset
    return f"{local:%Y-%m-%d %H:%M:%S}.{tenths} {named}"


class Lettering:
    """The letters of one size, each rendered once, white on black."""

    def __init__(self, letters_px: int, height_px: int) -> None:
        """Render them as strips of this height."""
        font = ImageFont.load_default(letters_px)
        self._strips: dict[str, NDArray[np.uint8]] = {}
        for letter in LETTERS:
            width_px = letters_px * SPACE_SHARE if letter == " " else font.getlength(letter)
            strip = Image.new("L", (round(width_px), height_px), BLACK)
            draw = ImageDraw.Draw(strip)
            _, top, _, bottom = draw.textbbox((0, 0), "H", font=font, anchor="ls")
            baseline = (height_px + bottom - top) // 2  # capitals and digits stand in the middle
            draw.text((0, baseline), letter, font=font, fill=WHITE, anchor="ls")
            self._strips[letter] = np.asarray(strip, dtype=np.uint8)
        self._widths = {letter: strip.shape[1] for letter, strip in self._strips.items()}

    def width_px(self, text: str) -> int:
        """How long this text is; it is made of `LETTERS`."""
        return sum(self._widths[letter] for letter in text)

    def fit(self, text: str, room_px: int) -> str:
        """The text as far as it goes into this room, with `CUT` in place of the rest; empty if nothing of it does."""
        if self.width_px(text) <= room_px:
            return text
        ends_px = list(accumulate(self._widths[letter] for letter in text))
        kept = text[: bisect_right(ends_px, room_px - self.width_px(CUT))].rstrip()
        return kept + CUT if kept else ""

    def write(self, text: str) -> NDArray[np.uint8]:
        """The text as luma, rows x columns."""
        return np.hstack([self._strips[letter] for letter in text])


class Caption:
    """The caption of one camera, in its place."""

    def __init__(self, unit: UnitSettings, camera_name: str, spot: Spot) -> None:
        self._zone = ZoneInfo(unit.timezone)
        who = BETWEEN.join(plain(name) for name in (unit.id, camera_name, unit.name))
        self._who = who[: spot.width_px]  # no letter is narrower than a pixel
        self._spot = spot
        self._lettering = Lettering(spot.letters_px, spot.height_px)
        self._drawn: tuple[str, NDArray[np.uint8]] | None = None
        """The newest line: it holds for all pictures of a tenth of a second."""

    def text(self, at: Moment) -> str:
        """What it says of a picture taken at this moment: cut from its end, but never into the time or its quality.

        Raises:
            ValueError: not even those fit, and a caption without them is none.
        """
        must = f"{local_time(at.wall, self._zone)}{BETWEEN}{CLOCK_WORDS[at.quality]}"
        room_px = self._spot.width_px - 2 * MARGIN_PX - self._lettering.width_px(must)
        if room_px < 0:
            msg = f"the caption {must!r} is wider than its place of {self._spot.width_px} pixels"
            raise ValueError(msg)
        return must + self._lettering.fit(BETWEEN + self._who, room_px)

    def line(self, at: Moment) -> NDArray[np.uint8]:
        """The line of a picture taken at this moment, as luma: as high as its place, as wide as the text and even.

        Raises:
            ValueError: as `text`.
        """
        text = self.text(at)
        if self._drawn is None or self._drawn[0] != text:
            written = self._lettering.write(text)
            rows, columns = written.shape
            line = np.full((rows, -(-(columns + 2 * MARGIN_PX) // CELL_PX) * CELL_PX), BLACK, dtype=np.uint8)
            line[:, MARGIN_PX : MARGIN_PX + columns] = written
            self._drawn = text, line
        return self._drawn[1]
