"""OpenFst's binary files ("vector" FSTs over the tropical semiring), written without OpenFst."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = 2125659606
EXPANDED_AND_MUTABLE = 0x3
ACCEPTOR, NOT_ACCEPTOR = 0x10000, 0x20000
INPUT_SORTED, OUTPUT_SORTED = 0x10000000, 0x40000000
"""Properties that OpenFst believes without looking; composing needs a sorted side."""


@dataclass(frozen=True)
class Arc:
    """From one state to another."""

    reads: int
    writes: int
    cost: float
    """Minus the logarithm of a probability."""
    to: int


class Graph:
    """States and arcs; state 0 is where it begins."""

    def __init__(self) -> None:
        self._arcs: list[list[Arc]] = []
        self.final: dict[int, float] = {}
        """What it costs to end in a state."""

    def state(self) -> int:
        """A new state."""
        self._arcs.append([])
        return len(self._arcs) - 1

    def arc(self, start: int, arc: Arc) -> None:
        """A new arc."""
        self._arcs[start].append(arc)

    def write(self, path: Path) -> None:
        """Write it, its arcs sorted by what they write."""
        acceptor = all(arc.reads == arc.writes for arcs in self._arcs for arc in arcs)
        kind = ACCEPTOR | INPUT_SORTED if acceptor else NOT_ACCEPTOR
        properties = EXPANDED_AND_MUTABLE | OUTPUT_SORTED | kind
        count = sum(map(len, self._arcs))
        parts = [
            struct.pack("<i", MAGIC) + _text("vector") + _text("standard"),
            struct.pack("<iiQqqq", 2, 0, properties, 0, len(self._arcs), count),
        ]
        for state, arcs in enumerate(self._arcs):
            parts.append(struct.pack("<fq", self.final.get(state, float("inf")), len(arcs)))
            parts += [
                struct.pack("<iifi", arc.reads, arc.writes, arc.cost, arc.to)
                for arc in sorted(arcs, key=lambda arc: (arc.writes, arc.reads))
            ]
        path.write_bytes(b"".join(parts))


def _text(text: str) -> bytes:
    return struct.pack("<i", len(text)) + text.encode()
