"""What a chain of records shows, and what only another copy of it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commands.chain import FIRST, Chain, hash_of
from agent.commands.verdict import Fault, compare, is_record, judge

if TYPE_CHECKING:
    from agent.commands.chain import Record

AT = "2026-11-22T02:14:07.412Z"


def records_of(*lives: int) -> list[Record]:
    """So many records in each life of a unit, one chain bound to the other."""
    records: list[Record] = []
    for life, count in enumerate(lives):
        chain = Chain(f"life-{life}", records[-1]["hash"] if records else FIRST)
        records += [chain.add({"what": "refused", "at": AT, "n": n}) for n in range(count)]
    return records


def anew() -> list[Record]:
    """What a unit writes that lost its file and could not keep some records."""
    chain = Chain("later")
    return [chain.add({"what": "began", "at": AT}), chain.add({"what": "lost", "at": AT, "count": 5})]


def faults(records: list[Record]) -> list[Fault]:
    return [each.fault for each in judge(records).breaks]


def test_what_the_unit_wrote_is_whole_over_its_starts_and_however_often_it_was_sent() -> None:
    records = records_of(3, 4)
    verdict = judge([*records[:5], records[4], *records[3:]])
    assert (verdict.count, verdict.starts, verdict.breaks, verdict.begins_within) == (7, 2, (), None)
    assert all(is_record(record) for record in records)


def test_a_record_that_was_changed_is_named() -> None:
    records = records_of(4)
    records[1] = {**records[1], "n": 7}
    (found,) = judge(records).breaks
    assert found.fault is Fault.CHANGED
    assert found.text == f"record 2 of chain life-0 ({AT}) was changed"


def test_a_record_that_was_changed_together_with_its_hash_is_named_by_the_one_after_it() -> None:
    records = records_of(4)
    changed = {**records[1], "n": 7}
    records[1] = changed | {"hash": hash_of(changed)}
    (found,) = judge(records).breaks
    assert found.fault is Fault.CHANGED
    assert found.text.startswith("record 2 of chain life-0")


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (slice(1, 3), "2 missing before record 4 of chain life-0"),
        (slice(3, 5), "records are missing before record 1 of chain life-1"),
        (slice(3, 7), "2 records or more are missing before record 3 of chain life-1"),
    ],
)
def test_what_was_removed_is_counted_as_far_as_the_numbers_say(gone: slice, words: str) -> None:
    records = records_of(5, 4)
    del records[gone]
    (found,) = judge(records).breaks
    assert found.fault is Fault.MISSING
    assert found.text.startswith(words)


def test_records_that_changed_places_are_one_break_not_three() -> None:
    records = records_of(6)
    records[2], records[3] = records[3], records[2]
    assert faults(records) == [Fault.MOVED]


def test_a_unit_that_begins_without_what_it_had_is_told() -> None:
    assert faults([*records_of(3), *anew()]) == [Fault.BEGINS_ANEW]


def test_what_a_power_cut_took_from_the_units_disk_shows_where_the_control_room_has_it() -> None:
    records = records_of(5)
    second = Chain("after-the-cut", records[2]["hash"])
    on_the_disk = [*records[:3], *(second.add({"what": "began", "at": AT}) for _ in range(2))]
    assert faults(on_the_disk) == [], "the unit cannot know"
    at_the_control_room = [*records, *on_the_disk[3:]]
    (found,) = judge(at_the_control_room).breaks
    assert found.fault is Fault.SET_BACK
    assert "as if the 2 records in between had never been" in found.text


def test_records_from_the_middle_of_a_chain_say_so_and_are_no_break() -> None:
    verdict = judge(records_of(5)[2:])
    assert verdict.breaks == ()
    assert verdict.begins_within == f"record 3 of chain life-0 ({AT})"


def test_what_the_unit_could_not_keep_itself_is_counted() -> None:
    assert judge(anew()).lost == 5


def test_an_end_that_was_cut_off_shows_beside_another_copy_only() -> None:
    records = records_of(3, 3)
    cut = records[:-2]
    assert faults(cut) == []
    (found,) = compare(cut, records, "journal")
    assert found.fault is Fault.CUT_OFF
    assert "journal has 2 more" in found.text
    assert compare(records, cut, "journal") == [], "it was written down before the unit went on"
    assert compare(records, records[2:4], "journal") == []


def test_a_chain_that_was_written_anew_shows_beside_another_copy_only() -> None:
    records = records_of(3)
    forger = Chain("life-0")
    forged = [forger.add({"what": "refused", "at": AT, "n": n if n != 1 else 7}) for n in range(3)]
    assert faults(forged) == []
    assert [each.fault for each in compare(forged, records, "journal")] == [Fault.DIFFERS, Fault.DIFFERS]


@given(data=st.data(), lives=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_whatever_is_changed_removed_or_moved_between_first_and_last_shows(
    data: st.DataObject, lives: list[int]
) -> None:
    records = records_of(*lives, 3)
    place = data.draw(st.integers(1, len(records) - 2), "place")
    match data.draw(st.sampled_from(["change", "remove", "swap", "double"]), "how"):
        case "change":
            member = data.draw(st.sampled_from(["what", "at", "n", "chain", "number", "previous", "hash"]), "member")
            records[place] = records[place] | {member: "0" * 64 if member in {"previous", "hash"} else 99}
        case "remove":
            del records[place]
        case "swap":
            records[place], records[place + 1] = records[place + 1], records[place]
        case "double":
            records.insert(place + 1, records[place])
            assert faults(records) == []
            return
    assert faults(records)
