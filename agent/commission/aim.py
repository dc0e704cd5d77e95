"""What a camera shows of a person at which distance, from two points in its picture. Pure.

Whoever commissions stands a pole of known length (or a person) at a known distance, and reads the pixel coordinates of
its two ends off a still. With a lens that does not distort, pixels per metre fall with the distance: so one measure
gives all distances. At the edge of a wide lens it gives too much; measure where people will stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, degrees, hypot, isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITION: Final = "EN 62676-4:2015"
"""The edition of the levels below; the 2025 edition of IEC 62676-4 names others (standards.md 2.1)."""
LEVELS_PX_PER_M: Final[Mapping[str, float]] = {"identify": 250.0, "recognise": 125.0, "observe": 62.5, "detect": 25.0}
"""Pixels per metre at the target (standards.md 2.1)."""
Point = tuple[float, float]


class AimInvalid(ValueError):
    """No scale follows from this; the text says why."""


@dataclass(frozen=True)
class Aim:
    """What one measure says of a camera."""

    px_per_m: float
    """At the distance at which it was measured."""
    at_m: float
    width_px: int

    @classmethod
    def measured(  # noqa: PLR0913 - a measure has two ends and two lengths, a picture two sides
        cls, one: Point, other: Point, *, apart_m: float, at_m: float, width_px: int, height_px: int
    ) -> Aim:
        """The aim from two points.

        Args:
            one: Pixel coordinates of one end, from the upper left corner of a picture of full size.
            other: Of the other end.
            apart_m: How far they are apart, across the line of sight.
            at_m: How far away they are from the camera.
            width_px: The picture's.
            height_px: The picture's.

        Raises:
            AimInvalid: they are not in the picture, or not two, or too near to each other to measure anything.
        """
        if not all(isfinite(number) and number > 0 for number in (apart_m, at_m)):
            msg = "distances are more than 0 m"
            raise AimInvalid(msg)
        for x, y in (one, other):
            if not (0 <= x < width_px and 0 <= y < height_px):
                msg = f"{x:g},{y:g} is not in a picture of {width_px} x {height_px} pixels"
                raise AimInvalid(msg)
        length_px = hypot(one[0] - other[0], one[1] - other[1])
        if length_px < LEAST_PX:
            msg = f"the points are {length_px:.0f} pixels apart: within 5 % takes at least {LEAST_PX}"
            raise AimInvalid(msg)
        return cls(length_px / apart_m, at_m, width_px)

    def reaches_m(self, level: str) -> float:
        """Up to which distance the camera shows as much as this level asks for."""
        return self.at_m * self.px_per_m / LEVELS_PX_PER_M[level]

    @property
    def level(self) -> str | None:
        """The best level at the distance at which it was measured; None: not even to detect."""
        return next((level for level, least in LEVELS_PX_PER_M.items() if self.px_per_m >= least), None)

    @property
    def view_deg(self) -> float:
        """The horizontal field of view that follows: far from the lens's own, something was mistyped."""
        return degrees(2 * atan(self.width_px / (2 * self.px_per_m * self.at_m)))


LEAST_PX: Final = 40
"""Who points at an end is a pixel off at each: 2 of 40 are 5 % (goal 16)."""
