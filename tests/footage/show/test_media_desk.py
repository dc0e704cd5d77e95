"""Orders are filled once their footage is there; nobody waits for ever, and recording waits for nobody."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.footage.show import media_desk
from agent.footage.show.media_desk import MediaDesk
from agent.helpers.messages import Event, MediaMissed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

LIMIT_S = 60


@contextmanager
def open_desk() -> Iterator[tuple[MediaDesk[str], queue.Queue[Event]]]:
    answers: queue.Queue[Event] = queue.Queue()
    desk: MediaDesk[str] = MediaDesk(lambda wish: MediaMissed("a", "clip", wish), answers.put)
    worker = threading.Thread(target=desk.work)
    worker.start()
    try:
        yield desk, answers
    finally:
        desk.close()
        worker.join(LIMIT_S)


def reason(answers: queue.Queue[Event]) -> str:
    answer = answers.get(timeout=LIMIT_S)
    assert isinstance(answer, MediaMissed)
    return answer.reason


def test_orders_are_filled_in_the_order_in_which_their_footage_arrives() -> None:
    later = time.monotonic() + 1000
    with open_desk() as (desk, answers):
        desk.order("second", later + 2, "second")
        desk.order("first", later + 1, "first")
        desk.footage_reached(later)
        assert answers.empty()
        desk.footage_reached(later + 1)
        assert reason(answers) == "first"
        assert answers.empty()
        desk.footage_reached(later + 2)
        assert reason(answers) == "second"


def test_an_order_for_footage_that_is_there_is_filled_at_once() -> None:
    later = time.monotonic() + 1000
    with open_desk() as (desk, answers):
        desk.footage_reached(later)
        desk.order("a", later, "now")
        assert reason(answers) == "now"


def test_an_order_whose_footage_never_comes_is_filled_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_desk, "PATIENCE_S", 0.2)
    with open_desk() as (desk, answers):
        desk.order("a", time.monotonic() + 0.1, "what there is")
        assert reason(answers) == "what there is"


def test_a_newer_order_for_the_same_alert_takes_the_place_of_the_older() -> None:
    later = time.monotonic() + 1000
    with open_desk() as (desk, answers):
        desk.order("a", later, "short")
        desk.order("a", later + 1, "long")
        desk.footage_reached(later + 1)
        assert reason(answers) == "long"
        assert answers.empty()


def test_closing_leaves_open_orders_to_the_next_process() -> None:
    with open_desk() as (desk, answers):
        desk.order("a", time.monotonic() + 1000, "never")
    assert answers.empty()
