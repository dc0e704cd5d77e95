"""The helper's end of the line."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.helpers.channel import Channel
from agent.helpers.messages import Settings, StillRequest, Working, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, Channel]]:
    ours, theirs = socket.socketpair()
    channel = Channel(theirs)
    yield ours, channel
    channel.close()
    ours.close()


def test_requests_arrive_in_order_and_events_as_lines(line: tuple[socket.socket, Channel]) -> None:
    daemon, channel = line
    asked: list[Settings | StillRequest] = [Settings("{}"), StillRequest("inc-1", SystemClock().now())]
    for request in asked:
        daemon.sendall(encode(request))
    assert [channel.request(10), channel.request(10)] == asked
    channel.send(Working(3, 1))
    assert decode(daemon.recv(4096)) == Working(3, 1)


def test_the_end_of_the_daemon_wakes_a_helper_that_waits(line: tuple[socket.socket, Channel]) -> None:
    daemon, channel = line
    daemon.shutdown(socket.SHUT_WR)
    assert channel.request() is None
    assert channel.closed.wait(10)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_line_that_is_none_of_ours_ends_the_helper(line: tuple[socket.socket, Channel]) -> None:
    daemon, channel = line
    daemon.sendall(b'{"type": "self-destruct"}\n')
    assert channel.request() is None
    assert channel.closed.wait(10)
