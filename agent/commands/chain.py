"""The audit's chain: each record carries the hash of the one before it, so that none can be changed or left out unseen.

Pure. Each start of the unit begins a chain of its own, bound to the last record that was stored before it: what a power
cut takes from the disk then shows as a gap between two chains, and never as two records of one number. Whether records
keep to it is judged in `verdict.py`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST: Final = "0" * 64
"""What the very first record says was before it."""

Record = dict[str, Any]


def hash_of(record: Mapping[str, Any]) -> str:
    """The hash of a record: SHA-256 of its JSON with sorted keys, no spaces, ASCII only, without `hash` itself."""
    bare = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


class Chain:
    """One chain as it grows."""

    def __init__(self, name: str, previous: str = FIRST) -> None:
        """An empty chain.

        Args:
            name: Tells it from every other one.
            previous: The hash of the last record before it.
        """
        self._name = name
        self._previous = previous
        self._number = 0

    def add(self, facts: Mapping[str, Any]) -> Record:
        """Link these facts, plain JSON values, to what came before."""
        self._number += 1
        record = {**facts, "chain": self._name, "number": self._number, "previous": self._previous}
        self._previous = record["hash"] = hash_of(record)
        return record
