"""The last step of filling a slot from a bundle: what was installed is what was signed, and is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.software.listing import Pace, contents, write_list
from agent.software.release import BUNDLE, NotSigned
from agent.software.signed import RECORDS, record_of, signed_contents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMED = 3


def list_filled(slot: Path, head: bytes, wheels: Sequence[Path]) -> None:
    """Compare a slot with what was signed, and list it.

    Args:
        slot: Filled, and tried: nothing of it changes any more.
        head: The three first lines of the bundle, whose signature was found good.
        wheels: What it was filled from.

    Raises:
        NotSigned: what was installed is not what was signed.
        ListUnusable: there is something in it that no list can name.
        OSError: the disk does not take it.
    """
    (slot / RECORDS).mkdir(parents=True)
    (slot / BUNDLE).write_bytes(head)
    for wheel in wheels:
        (slot / RECORDS / wheel.name).write_bytes(record_of(wheel))
    there = contents(slot, Pace())
    wrong = sorted(path for path, digest in signed_contents(slot).items() if there.get(path) != digest)
    if wrong:
        msg = f"what was installed is not what was signed: {', '.join(wrong[:NAMED])}"
        raise NotSigned(msg)
    write_list(slot)
