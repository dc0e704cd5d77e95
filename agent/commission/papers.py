"""What somebody types about papers, and whether it can be so. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from agent.config.problems import one_line

URN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9/-]{2,19}")
"""Forces differ; what all have in common is that a space in it makes their systems reject it (NSI on ECHO, standards.md
1.4). Upper and lower case are kept as they were typed: for some forces they matter."""
URN_TYPES: Final = ("intruder", "hold-up", "both")
URN_STATES: Final = ("live", "applied", "withdrawn")
REFERENCE: Final = re.compile(r"[ -~]{3,80}")


class NotSo(ValueError):
    """What was typed cannot be so; the text says why."""


def reference(text: str) -> str:
    """A paper's reference.

    Raises:
        NotSo: it is none.
    """
    if not REFERENCE.fullmatch(text) or not any(each.isalnum() for each in text):
        msg = "a reference has 3 to 80 plain characters"
        raise NotSo(msg)
    return text


def urn(text: str) -> str:
    """A police unique reference number.

    Raises:
        NotSo: no force would know it.
    """
    if any(each.isspace() for each in text):
        msg = "a URN has no spaces: with one, alarms are rejected"
        raise NotSo(msg)
    if not URN.fullmatch(text):
        msg = "a URN has 3 to 20 letters and digits, perhaps with / or -"
        raise NotSo(msg)
    return text


def day(text: str) -> date:
    """A date.

    Raises:
        NotSo: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = f"there is no day {one_line(text, 20)}: a date is typed as 2027-03-31"
        raise NotSo(msg) from error


def choice(text: str, *of: str) -> str:
    """One of these words; its beginning is enough.

    Raises:
        NotSo: it is none of them, or several.
    """
    found = [word for word in of if word.startswith(text.lower())] if text else []
    if text.lower() in of:
        return text.lower()
    if len(found) != 1:
        msg = f"one of: {', '.join(of)}"
        raise NotSo(msg)
    return found[0]


def metres(text: str) -> float:
    """A distance in metres.

    Raises:
        NotSo: it is none.
    """
    value = _number(text.lower().removesuffix("m").strip().replace(",", "."), "a distance in metres, such as 2.5")
    if not 0 < value <= 1000:  # noqa: PLR2004 - NaN is refused by this too
        msg = "a distance is more than 0 m and at most 1000 m"
        raise NotSo(msg)
    return value


def degrees(text: str) -> float:
    """A bearing in degrees from north.

    Raises:
        NotSo: it is none.
    """
    value = _number(text.strip().removesuffix("deg").strip(), "a bearing in degrees from north, such as 135")
    if not 0 <= value < 360:  # noqa: PLR2004
        msg = "a bearing goes from 0 to 359 degrees"
        raise NotSo(msg)
    return value


def point(text: str) -> tuple[float, float]:
    """Pixel coordinates.

    Raises:
        NotSo: they are none.
    """
    try:
        x, y = (float(each) for each in text.replace(",", " ").split())
    except ValueError as error:
        msg = "two numbers, across and down from the upper left corner, such as 640,212"
        raise NotSo(msg) from error
    return x, y


def _number(text: str, wanted: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise NotSo(wanted) from error
