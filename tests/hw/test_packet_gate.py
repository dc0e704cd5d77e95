"""Between an encoder that must not wait and a writer that may be slow."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from agent.hw.intake import Intake
from agent.hw.kit import Packet
from agent.hw.packet_gate import PacketGate

if TYPE_CHECKING:
    from collections.abc import Iterator


def gate(capacity: int) -> tuple[PacketGate, Iterator[Packet]]:
    intake: Intake[Packet] = Intake("the camera", capacity, silent_after_s=0.0)
    return PacketGate(intake), iter(intake)


def test_after_a_loss_the_stream_goes_on_at_the_next_key_frame_which_counts_all_that_is_missing() -> None:
    through, packets = gate(capacity=2)
    for number in range(4):  # 2 and 3 find the queue full
        through.take(b"", float(number), 0.1, keyframe=number == 0)
    read = [next(packets), next(packets)]
    for number in range(4, 9):  # 4 and 5 would fit, but cannot be decoded without 2 and 3
        through.take(b"", float(number), 0.1, keyframe=number == 6)
        if number >= 6:
            read.append(next(packets))

    assert [(packet.taken_s, packet.lost) for packet in read] == [(0, 0), (1, 0), (6, 4), (7, 0), (8, 0)]


def test_what_comes_before_the_first_key_frame_is_lost() -> None:
    through, packets = gate(capacity=5)
    through.take(b"", 1.0, 0.1, keyframe=False)
    through.take(b"", 2.0, 0.1, keyframe=True)

    assert next(packets) == Packet(b"", keyframe=True, taken_s=2.0, frame_s=0.1, lost=1)


def test_time_never_stands_still() -> None:
    through, packets = gate(capacity=5)
    for taken_s in (1.0, 2.0, 2.0, 1.5, 3.0):
        through.take(b"", taken_s, 0.1, keyframe=True)

    assert [(packet.taken_s, packet.lost) for packet in itertools.islice(packets, 3)] == [(1, 0), (2, 0), (3, 2)]
