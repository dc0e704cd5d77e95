"""The bounded queue between a device's thread and its reader."""

from __future__ import annotations

import itertools
import threading

import pytest

from agent.hw.intake import Intake
from agent.hw.kit import HardwareLost


def test_items_come_out_in_order_and_what_does_not_fit_is_refused() -> None:
    intake: Intake[int] = Intake("the device", capacity=3, silent_after_s=60)

    assert [intake.offer(i) for i in range(5)] == [True, True, True, False, False]
    assert list(itertools.islice(intake, 3)) == [0, 1, 2]
    assert intake.offer(5)
    assert next(iter(intake)) == 5


def test_silence_is_a_lost_device() -> None:
    intake: Intake[int] = Intake("the device", capacity=3, silent_after_s=0.01)

    with pytest.raises(HardwareLost, match=r"^the device gave nothing for 0\.01 s$"):
        next(iter(intake))


def test_a_failed_device_is_lost_after_its_last_item_was_read() -> None:
    intake: Intake[int] = Intake("the device", capacity=3, silent_after_s=60)
    intake.offer(1)
    intake.fail("went away")
    intake.fail("and was then closed")
    items = iter(intake)

    assert next(items) == 1
    with pytest.raises(HardwareLost, match=r"^the device went away$"):
        next(items)


@pytest.mark.parametrize("waiting", [True, False])
def test_close_ends_the_reader_whether_it_waits_or_not(waiting: bool) -> None:  # noqa: FBT001
    intake: Intake[int] = Intake("the device", capacity=3, silent_after_s=60)
    if not waiting:
        intake.offer(1)
        intake.close()
    read: list[int] = []
    reader = threading.Thread(target=lambda: read.extend(intake))
    reader.start()
    intake.close()
    reader.join(timeout=60)

    assert not reader.is_alive()
    assert read == []


def test_nothing_is_lost_between_two_threads_that_keep_up() -> None:
    intake: Intake[int] = Intake("the device", capacity=1000, silent_after_s=60)
    device = threading.Thread(target=lambda: [intake.offer(i) for i in range(1000)])
    device.start()

    assert list(itertools.islice(intake, 1000)) == list(range(1000))
    device.join()
