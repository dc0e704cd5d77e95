"""What is wrong with a configuration, in words that say where and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CREDENTIALS = re.compile(r"//[^/]*@")
"""In a URL: a mistake that must not be repeated in a log."""


def one_line(text: str, most: int = 300) -> str:
    """Somebody's text for use in a message: on one line, cut after so many characters, without a URL's password."""
    text = _CREDENTIALS.sub("//***@", text)
    text = text if len(text) <= most else text[:most] + "..."
    return text if text.isprintable() else ascii(text)


@dataclass(frozen=True)
class Problem:
    """One thing to put right. `str()` gives `FILE:LINE: key.path: message`, which editors can jump to."""

    file: str
    """As the user named it; a value that comes from a profile is put right in the profile's file."""
    line: int | None
    """Counted from 1; None when the file as a whole is meant."""
    key: str
    """`inputs[1].pin`; empty when no single key is meant."""
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigInvalid(Exception):
    """A configuration cannot be used: show every problem to whoever wrote it, and keep the old one if there is one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
        )
        super().__init__("\n".join(map(str, self.problems)))
