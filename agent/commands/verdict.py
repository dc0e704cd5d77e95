"""Whether records of an audit are what the unit wrote, all of it and in its order. Pure.

A chain shows what was changed, left out, put in or moved between its first and its last record. It cannot show that its
end was cut off, and whoever can write the unit's file can write a whole new chain: both show beside another copy, such
as the control room's journal (`compare`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from agent.commands.chain import FIRST, hash_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.commands.chain import Record

_TEXTS: Final = ("chain", "previous", "hash", "at")


class Fault(StrEnum):
    """What is wrong at one place."""

    CHANGED = "changed"
    MISSING = "missing"
    MOVED = "moved"
    """It stands elsewhere than where it was written."""
    CUT_OFF = "cut off"
    """The end is missing."""
    BEGINS_ANEW = "begins anew"
    """The unit did not know of what was before: its file was lost, or taken away."""
    SET_BACK = "set back"
    """The unit went on from an older record: the disk lost the newest ones (a power cut), or its file was put back."""
    DIFFERS = "differs"
    """Two copies tell the same record differently."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Break:
    """One place where a copy is not what the unit wrote."""

    fault: Fault
    text: str
    """What and where, in a few words."""


@dataclass(frozen=True)
class Verdict:
    """What can be said of one copy."""

    count: int
    """Records, each counted once however often it is there."""
    starts: int
    """Of the unit, each of which began a chain."""
    breaks: tuple[Break, ...]
    first_at: str | None
    last_at: str | None
    begins_within: str | None
    """The first record, where others were before it: they may be kept elsewhere, or were thrown away for their age."""
    lost: int
    """Records that the unit says it could not keep itself."""


def is_record(value: object) -> bool:
    """Whether this has what each record has."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name), str) for name in _TEXTS)
        and isinstance(value.get("number"), int)
    )


def judge(copy: Sequence[Record]) -> Verdict:
    """Follow records in the order in which they are there."""
    records = _once(copy)
    changed = (record for record in records if hash_of(record) != record["hash"])
    breaks = [Break(Fault.CHANGED, f"{name_of(record)} was changed") for record in changed]
    breaks += _misplaced(records)
    first, last = (records[0], records[-1]) if records else (None, None)
    return Verdict(
        count=len(records),
        starts=len({record["chain"] for record in records}),
        breaks=tuple(breaks),
        first_at=None if first is None else first["at"],
        last_at=None if last is None else last["at"],
        begins_within=None if first is None or first["previous"] == FIRST else name_of(first),
        lost=sum(_count(record) for record in records if record.get("what") == "lost"),
    )


def compare(own: Sequence[Record], other: Sequence[Record], other_name: str) -> list[Break]:
    """What the unit's own copy lacks at its end, or tells differently from another copy.

    Args:
        own: As the unit keeps it.
        other: As somebody else keeps it, who may know less, but nothing that the unit did not write.
        other_name: What to call that.
    """
    ours, theirs = _once(own), _once(other)
    by_place = {(record["chain"], record["number"]): record for record in ours}
    breaks = []
    for record in theirs:
        mine = by_place.get((record["chain"], record["number"]))
        if mine is not None and mine["hash"] != record["hash"]:
            breaks.append(Break(Fault.DIFFERS, f"{name_of(mine)} is another one in {other_name}"))
    places = {record["hash"]: place for place, record in enumerate(theirs)}
    if ours and (place := places.get(ours[-1]["hash"])) is not None:
        known = {record["hash"] for record in ours}
        more = [record for record in theirs[place + 1 :] if record["hash"] not in known]
        if more:
            words = f"it ends with {name_of(ours[-1])}; {other_name} has {len(more)} more, until {more[-1]['at']}"
            breaks.append(Break(Fault.CUT_OFF, words))
    return breaks


def name_of(record: Mapping[str, Any]) -> str:
    """How a record is called to people."""
    return f"record {record['number']} of chain {record['chain']} ({record['at']})"


def _misplaced(records: Sequence[Record]) -> list[Break]:
    """Each record held against the one before it."""
    places = {record["hash"]: place for place, record in enumerate(records)}
    followed = Counter(record["previous"] for record in records)
    breaks, moved = [], []
    for place, (before, record) in enumerate(pairwise(records), start=1):
        if record["previous"] == before["hash"]:
            continue
        after = places.get(record["previous"])
        if after is None:
            breaks.append(_gap(before, record))
        elif after < place and record["number"] == 1 and followed[record["previous"]] > 1:
            words = (
                f"{name_of(record)} was written after {name_of(records[after])}, as if the {place - after - 1} records "
                "in between had never been: the unit's disk lost them (a power cut), or its file was put back"
            )
            breaks.append(Break(Fault.SET_BACK, words))
        else:
            moved.append(record)
    if moved:
        words = f"{len(moved)} records do not stand after the one that they were written after, "
        breaks.append(Break(Fault.MOVED, f"{words}the first of them {name_of(moved[0])}"))
    return breaks


def _gap(before: Record, record: Record) -> Break:
    """What is wrong before a record whose predecessor is not there at all."""
    where, number = name_of(record), record["number"]
    if record["previous"] == FIRST:
        words = f"{where} is bound to nothing before it: the unit began without what it had kept"
        return Break(Fault.BEGINS_ANEW, words)
    if record["chain"] != before["chain"]:
        some = "records are" if number == 1 else f"{number - 1} records or more are"
        return Break(Fault.MISSING, f"{some} missing before {where}, after {name_of(before)}")
    missing = number - before["number"] - 1
    if missing > 0:
        return Break(Fault.MISSING, f"{missing} missing before {where}")
    if missing == 0:
        return Break(Fault.CHANGED, f"{name_of(before)} was changed, and its hash with it")
    return Break(Fault.CHANGED, f"{where} follows no record that is here")


def _once(records: Sequence[Record]) -> list[Record]:
    """The records without those that were sent again, word by word."""
    known: dict[str, Record] = {}
    once = []
    for record in records:
        if known.get(record["hash"]) != record:
            known.setdefault(record["hash"], record)
            once.append(record)
    return once


def _count(record: Mapping[str, Any]) -> int:
    count = record.get("count")
    return count if isinstance(count, int) else 0
