"""How long a message may have lain in the socket of a process that stood still."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from agent.uplink.unread import IN_TIME_S, LOOK_EVERY_S, Unread

if TYPE_CHECKING:
    from collections.abc import Iterator


class Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_while_somebody_listens_nothing_lies(time: Time, ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    unread = Unread(time)
    for _ in range(5):
        time.now_s += LOOK_EVERY_S
        unread.look(here)
    time.now_s += LOOK_EVERY_S + IN_TIME_S / 2
    there.send(b"just now")
    assert unread.at_most_s == 0.0


def test_after_a_stop_or_a_sleep_it_may_have_come_at_its_beginning(
    time: Time, ends: tuple[socket.socket, socket.socket]
) -> None:
    here, there = ends
    unread = Unread(time)
    unread.look(here)
    there.send(b"some time")
    time.now_s += 5.0
    assert unread.at_most_s == 5.0
    unread.look(here)
    assert unread.at_most_s == 5.0, "to look at what waits is not to read it"
    here.recv(100)
    unread.look(here)
    assert unread.at_most_s == 0.0


def test_more_than_can_be_handled_is_not_taken_for_new(time: Time, ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    unread = Unread(time)
    there.send(bytes(10))
    for _ in range(10):
        time.now_s += LOOK_EVERY_S
        unread.look(here)
        assert here.recv(1)
    assert unread.at_most_s == 10 * LOOK_EVERY_S


def test_a_connection_that_begins_late_has_nothing_old(time: Time) -> None:
    unread = Unread(time)
    time.now_s += 10.0  # the handshakes
    unread.begin()
    assert unread.at_most_s == 0.0
