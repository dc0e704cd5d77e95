"""Stored messages: recordings of the scheme's own that an operator can have spoken."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

LONGEST_S = 15.0
"""A message ends by itself; longer than this nobody at a scene listens, and the speaker is not free for callers."""


class MessageUnusable(Exception):
    """The recording cannot be spoken; the text says why."""


def length_s(path: Path) -> float:
    """How long a stored message lasts.

    Raises:
        MessageUnusable: it is no WAV file, cannot be read, or is longer than `LONGEST_S`.
    """
    try:
        with wave.open(str(path), "rb") as recording:
            lasts_s = recording.getnframes() / recording.getframerate()
    except OSError as error:
        msg = f"cannot be read: {error.strerror or error}"
        raise MessageUnusable(msg) from error
    except (
        EOFError,
        wave.Error,
        ZeroDivisionError,
        RuntimeError,
    ) as error:  # the last: a chunk is longer than the file
        msg = f"is no WAV recording (PCM): {error or 'it is cut off'}"
        raise MessageUnusable(msg) from error
    if not 0 < lasts_s <= LONGEST_S:
        msg = f"lasts {lasts_s:.1f} s, and a message has more than 0 and at most {LONGEST_S:g} s"
        raise MessageUnusable(msg)
    return lasts_s


class StoredMessages:
    """The messages of a unit. They are measured once, so that whoever asks later never waits for the disk."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths
        self._lengths_s: Mapping[str, float | MessageUnusable] = {}

    @property
    def names(self) -> Collection[str]:
        """How they are asked for."""
        return self._paths.keys()

    def measure(self) -> None:
        """Read how long each one lasts. Blocking: belongs into a thread."""
        lengths_s: dict[str, float | MessageUnusable] = {}
        for name, path in self._paths.items():
            try:
                lengths_s[name] = length_s(path)
            except MessageUnusable as error:
                lengths_s[name] = error
        self._lengths_s = lengths_s  # at once: another thread asks

    def length_s(self, name: str) -> float:
        """How long a message lasts, as it was measured.

        Raises:
            MessageUnusable: it cannot be spoken, or the disk has not answered yet.
        """
        measured = self._lengths_s.get(name)
        if measured is None:
            msg = "was not measured: the disk does not answer"
            raise MessageUnusable(msg)
        if isinstance(measured, MessageUnusable):
            raise measured
        return measured
