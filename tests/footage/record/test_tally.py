"""Lost frames are counted by the moments that have no picture."""

from __future__ import annotations

from agent.footage.record.tally import Tally
from agent.hw.kit import Packet
from tests.footage.film import FRAME_S


def wrote(tally: Tally, *numbers: int) -> None:
    for number in numbers:
        tally.wrote(Packet(b"", keyframe=False, taken_s=100 + number * FRAME_S, frame_s=FRAME_S))


def test_frames_count_once_they_are_safe() -> None:
    tally = Tally()
    wrote(tally, 0, 1, 2)
    assert tally.done == 0
    assert tally.synced()
    assert (tally.done, tally.lost) == (3, 0)


def test_a_sync_of_nothing_is_no_proof_of_work() -> None:
    tally = Tally()
    assert not tally.synced()


def test_moments_without_a_picture_are_lost_whoever_dropped_them() -> None:
    tally = Tally()
    wrote(tally, 0, 1, 5, 6)
    tally.synced()
    wrote(tally, 9)
    tally.synced()
    assert (tally.done, tally.lost) == (5, 5)


def test_jitter_is_no_loss() -> None:
    tally = Tally()
    for taken_s in (0.0, 0.09, 0.13, 0.22, 0.26):
        tally.wrote(Packet(b"", keyframe=False, taken_s=taken_s, frame_s=FRAME_S))
    tally.synced()
    assert tally.lost == 0


def test_what_a_failed_sync_leaves_in_doubt_is_lost() -> None:
    tally = Tally()
    wrote(tally, 0, 1)
    tally.synced()
    wrote(tally, 2, 3, 4)
    tally.failed()
    wrote(tally, 10, 11)
    tally.synced()
    assert (tally.done, tally.lost) == (4, 8)
