"""Notices where the size of the pictures changes, which one MP4 can hold and not every player can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.footage.show.clips import picture_size
from agent.footage.store.timeline import NoFootage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.hw.kit import Packet

START_CODE = b"\x00\x00\x01"
SPS = 7
"""The NAL unit type of a sequence parameter set, which says the size."""


@dataclass(frozen=True)
class SizeChange:
    """From this frame on the pictures have another size."""

    at_s: float
    before: tuple[int, int]
    after: tuple[int, int]
    """Width and height."""


class PictureSizes:
    """Looks at frames on their way; decodes only where a parameter set is a new one."""

    def __init__(self) -> None:
        self.changes: list[SizeChange] = []
        self._set: bytes | None = None
        self._size: tuple[int, int] | None = None

    def watch(self, frames: Iterable[Packet]) -> Iterator[Packet]:
        """Yield the same frames."""
        for frame in frames:
            if frame.keyframe and (found := _parameter_set(frame.data)) != self._set:
                self._look(frame)
                self._set = found
            yield frame

    def _look(self, keyframe: Packet) -> None:
        try:
            size = picture_size(keyframe)
        except NoFootage:
            return  # a damaged frame: it is copied as it is, and says nothing about sizes
        if self._size is not None and size != self._size:
            self.changes.append(SizeChange(keyframe.taken_s, self._size, size))
        self._size = size


def _parameter_set(data: bytes) -> bytes | None:
    """The sequence parameter set of a key frame; None when it has none."""
    at = data.find(START_CODE)
    while at >= 0:
        begin = at + len(START_CODE)
        at = data.find(START_CODE, begin)
        if begin < len(data) and data[begin] & 0x1F == SPS:
            return data[begin : at if at >= 0 else len(data)]
    return None
